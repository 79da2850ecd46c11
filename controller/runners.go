// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// controllerRunner runs a controller: for the whole run of a manager, or for each term.
type controllerRunner struct {
	*pipeline.Pipeline
	inTerm bool
	hurry  <-chan struct{} // is closed when drains are to be cut short
	term   *term.Term      // nil outside a term
}

func (c *controllerRunner) name() string { return c.Config().Name }

func (c *controllerRunner) drains() bool { return c.Config().DrainTimeout > 0 }

// Unit identifies the controller in reports.
func (c *controllerRunner) Unit() *work.Unit {
	return &work.Unit{Kind: report.Controller, Owner: c.name(), Term: c.term}
}

// Run runs a session of the controller.
func (c *controllerRunner) Run(ctx context.Context) error {
	return c.Pipeline.Run(ctx, c.term, c.hurry)
}

// InTerm returns the runner for one term.
func (c *controllerRunner) InTerm(t *term.Term) lifecycle.Runner {
	inTerm := *c
	inTerm.term = t
	return &inTerm
}

// Queued adds the number of objects that wait.
func (c *controllerRunner) Queued(to map[string]int) { to[c.name()] = c.Pipeline.Queued() }

// runnable runs a user's function: for the whole run of a manager, or once in each term.
type runnable struct {
	name   string
	run    func(context.Context) error
	inTerm bool
	term   *term.Term // nil outside a term
}

// Unit identifies the runnable in reports.
func (r *runnable) Unit() *work.Unit {
	return &work.Unit{Kind: report.Runnable, Owner: r.name, Term: r.term}
}

// Run calls the function.
func (r *runnable) Run(ctx context.Context) error { return r.run(ctx) }

// Warm returns at once: a runnable needs nothing before it starts.
func (r *runnable) Warm(context.Context) error { return nil }

// InTerm returns the runner for one term.
func (r *runnable) InTerm(t *term.Term) lifecycle.Runner {
	inTerm := *r
	inTerm.term = t
	return &inTerm
}

// Queued adds nothing: a runnable has no queue.
func (r *runnable) Queued(map[string]int) {}
