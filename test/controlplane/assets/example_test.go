// SPDX-License-Identifier: Apache-2.0

package assets_test

import (
	"context"
	"fmt"
	"os"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

func ExampleEnsure() {
	dir, err := assets.Ensure(context.Background(), assets.Options{}, assets.Etcd, assets.APIServer)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println("the binaries are in", dir)
}
