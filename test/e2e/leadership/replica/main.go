// SPDX-License-Identifier: Apache-2.0

// A replica is a process with a writer, for tests that stop and kill processes. It tells its events as
// lines of JSON on standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

// main takes a kubeconfig and writer.Options.
func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, how string) error {
	var options writer.Options
	if err := json.Unmarshal([]byte(how), &options); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	tell := func(e writer.Event) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(e) // nobody listens any more
	}
	if peer := peers()[options.Elector]; peer != nil {
		ctx, stop := controller.SignalContext(ctx)
		defer stop()
		return peer(ctx, writer.Mark(config, options.Agent), options, tell)
	}
	w := writer.New(config, options, tell)
	ctx, stop := controller.SignalContext(ctx, w.Manager)
	defer stop()
	err = w.Run(ctx)
	tell(writer.Event{What: "ended", Detail: w.Report().String()})
	return err
}
