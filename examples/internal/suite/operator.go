// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// prompt is how long the end of an operator may take on a busy machine. Its reconciles and polls have
// limits that are much longer.
const prompt = 3 * time.Second

// Operator is a manager that runs.
type Operator struct {
	*controller.Manager
	env    *Env
	writes writes
	cancel context.CancelFunc
	done   chan error
}

// Start runs an operator until Stop or the end of the test.
func (e *Env) Start(options controller.ManagerOptions, setUp func(*controller.Manager) error) *Operator {
	e.Helper()
	o := &Operator{env: e, done: make(chan error, 1)}
	config := e.Config()
	config.Wrap(e.Wrap)
	config.Wrap(o.writes.wrap)
	o.Manager = controller.NewManager(config, options)
	e.Must(setUp(o.Manager))
	ctx, cancel := context.WithCancel(klog.NewContext(e.Context(), quiet()))
	o.cancel = cancel
	go func() { o.done <- o.Run(ctx) }()
	e.Cleanup(o.Stop)
	e.Eventually("the operator is ready", func() bool { return o.Ready() == nil })
	return o
}

// Stop ends the operator. The test fails if that takes long, or if Run returned an error.
func (o *Operator) Stop() {
	if o.cancel == nil {
		return
	}
	o.cancel()
	o.cancel = nil
	began := time.Now()
	if err := <-o.done; err != nil {
		o.env.Errorf("the operator ended with %v", err)
	}
	if took := time.Since(began); took > prompt {
		o.env.Errorf("the operator took %v to end:\n%s", took, o.Report())
	}
}

// Writes returns the writes since the last call, as method and path.
func (o *Operator) Writes() []string { return o.writes.take() }

// AtRest fails the test if the operator writes anything because of cause, which is to end when the
// operator has reconciled.
func (o *Operator) AtRest(cause func()) {
	o.env.Helper()
	o.Writes()
	cause()
	if written := o.Writes(); len(written) > 0 {
		o.env.Errorf("the operator writes although nothing is to be done: %q", written)
	}
}

// quiet is a logger for errors.
func quiet() logr.Logger {
	return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}
