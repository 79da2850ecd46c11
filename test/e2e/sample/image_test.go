// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/image"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

func TestTheImagesBinaryReconcilesAndEndsBySIGTERM(t *testing.T) {
	img := image.ForTest(t, image.BuilderForTest(t))
	e := newEnv(t)
	content, err := controlplane.Kubeconfig(account(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // the image's user reads it
		t.Fatal(err)
	}

	ctx, terminate := context.WithCancel(t.Context())
	defer terminate()
	out, ended := &output.Buffer{}, make(chan error, 1)
	go func() {
		ended <- img.Run(ctx, image.RunOptions{Output: out, Mounts: map[string]string{path: "/etc/flunder/kubeconfig"}},
			"-kubeconfig=/etc/flunder/kubeconfig", "-health-addr=127.0.0.1:0", "-namespace="+e.namespace)
	}()
	defer func() {
		terminate()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), "received the signal terminated") || !strings.Contains(out.String(), "left running: nothing") {
			t.Error("there is no report of an end by SIGTERM")
		}
		if t.Failed() {
			t.Logf("it wrote:\n%s", out)
		}
	}()
	e.create("a")
	e.awaitRollingOut("a")
}
