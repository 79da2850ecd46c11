package controller

import (
	"context"
	"fmt"
	"os"
)

// Main is the whole main function of a small program: it reaches the API server as [LoadConfig] does
// with no path, runs what setup adds until the first SIGINT or SIGTERM, prints the account of the end,
// and exits with 1 when there was an error. A program with flags of its own does the same with
// [NewManager], [SignalContext] and [Manager.Run].
func Main(setup func(*Manager)) {
	ctx, stop := SignalContext(context.Background())
	err := runMain(ctx, setup)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runMain(ctx context.Context, setup func(*Manager)) error {
	config, err := LoadConfig("")
	if err != nil {
		return err
	}
	m := NewManager(config, Options{})
	setup(m)
	err = m.Run(ctx)
	if ctx.Err() != nil { // else err says it all
		fmt.Fprint(os.Stderr, m.Report())
	}
	return err
}
