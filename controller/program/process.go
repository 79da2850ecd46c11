// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"io"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Process is what a program uses of the process that it runs in. The zero value has no arguments and
// no variables, discards what is written, and gets no signals.
type Process struct {
	// Args are the arguments, without the program's name.
	Args []string

	// Environment has the environment variables, each as NAME=value.
	Environment []string

	// Stdout gets the plan of -plan. Default: it is discarded.
	Stdout io.Writer

	// Stderr gets the log, the help text, and the report of the end. Default: it is discarded.
	Stderr io.Writer

	// Signals returns a context that ends at a signal to end; see controller.SignalContext. Default:
	// nil, with which only the context of [Run] ends the program.
	Signals func(context.Context, ...*controller.Manager) (context.Context, context.CancelFunc)

	// SetLogger is called with the program's logger, for code that logs without a context. Default: nil, with
	// which nothing is set for the whole process.
	SetLogger func(logr.Logger)

	// LoadConfig returns the configuration of the API server from what -kubeconfig says. Default:
	// controller.LoadConfig.
	LoadConfig func(kubeconfig string) (*rest.Config, error)
}

// CurrentProcess returns the process that the caller runs in. Its SetLogger sets the logger of klog, which
// is one for the whole process.
func CurrentProcess() Process {
	return Process{
		Args:        os.Args[1:],
		Environment: os.Environ(),
		Stdout:      os.Stdout,
		Stderr:      os.Stderr,
		Signals:     controller.SignalContext,
		SetLogger:   func(logger logr.Logger) { klog.SetLogger(logger) },
		LoadConfig:  controller.LoadConfig,
	}
}

func (p Process) withDefaults() Process {
	if p.Stdout == nil {
		p.Stdout = io.Discard
	}
	if p.Stderr == nil {
		p.Stderr = io.Discard
	}
	if p.Signals == nil {
		p.Signals = noSignals
	}
	if p.LoadConfig == nil {
		p.LoadConfig = controller.LoadConfig
	}
	return p
}

func noSignals(
	ctx context.Context, _ ...*controller.Manager,
) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
