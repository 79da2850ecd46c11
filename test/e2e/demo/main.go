// SPDX-License-Identifier: Apache-2.0

// The demonstration: a control plane, the sample controller as its own service account, the samples,
// and a view of each Flunder becoming ready. Run it as `make run`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

type settings struct {
	cluster string
	install bool
	once    bool
	// replicas is the number of processes that share the work; 0: one leads, and another waits.
	replicas int
}

// maxReplicas is what a small machine carries.
const maxReplicas = 8

func main() {
	var s settings
	flag.StringVar(&s.cluster, "cluster", "", "the kubeconfig of a cluster to use; empty: a control plane of its own")
	flag.BoolVar(&s.install, "install", false, "with -cluster: apply the CRD and the permissions first")
	flag.BoolVar(&s.once, "once", false, "end by itself once every sample has a verdict, or with -replicas once all is at rest")
	flag.IntVar(&s.replicas, "replicas", 0, "so many processes share the work, and one is killed; 0: one leads, and another waits")
	flag.Parse()
	if err := s.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	err := run(ctx, s)
	stop()
	if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// check finds what would otherwise be passed over in silence.
func (s settings) check(args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q: everything is set by flags, see -help", args[0])
	case s.install && s.cluster == "":
		return errors.New("-install is for a cluster of yours: name its kubeconfig with -cluster (make run CLUSTER=path INSTALL=1)")
	case s.replicas != 0 && (s.replicas < 2 || s.replicas > maxReplicas):
		return fmt.Errorf("-replicas=%d: give between 2 and %d (make run REPLICAS=3)", s.replicas, maxReplicas)
	case s.replicas != 0 && s.cluster != "":
		return errors.New("-replicas is shown on a control plane of its own: leave out -cluster")
	}
	return nil
}

func run(ctx context.Context, s settings) (err error) {
	stage, err := setStage(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.strike(ctx)) }()

	play, err := startController(ctx, stage)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, play.stop()) }()
	if s.replicas > 0 {
		return share(ctx, stage, play, s.once)
	}
	return follow(ctx, stage, play, s.once)
}
