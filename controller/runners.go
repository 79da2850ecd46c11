// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/lanyard-k8s/lanyard/controller/internal/leading"
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
	part   *lifecycle.Part
	term   *term.Term // nil outside a term

	objects func() []Request   // those in its caches
	cached  func(Request) bool // whether an object is in its caches
}

func (c *controllerRunner) sharded() bool { return c.Config().Shards != nil }

func (c *controllerRunner) name() string { return c.Config().Name }

func (c *controllerRunner) drains() bool { return c.Config().DrainTimeout > 0 }

// Unit identifies the controller in reports.
func (c *controllerRunner) Unit() *work.Unit {
	return &work.Unit{Kind: report.Controller, Owner: c.name(), Term: c.term}
}

// Run runs a session of the controller.
func (c *controllerRunner) Run(ctx context.Context) error {
	return c.part.Run(ctx, func(ctx context.Context) error {
		return c.Pipeline.Run(ctx, c.term, c.part.Hurried())
	})
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
	class  lifecycle.Class
	inTerm bool
	part   *lifecycle.Part
	term   *term.Term // nil outside a term

	harmless bool // it is the framework's own, and runs in a dry run too
}

// Unit identifies the runnable in reports.
func (r *runnable) Unit() *work.Unit {
	return &work.Unit{Kind: report.Runnable, Owner: r.name, Term: r.term}
}

// Run calls the function.
func (r *runnable) Run(ctx context.Context) error { return r.part.Run(ctx, r.run) }

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

// joining makes a worker that was added to a running manager a part of the current term.
type joining struct {
	leader *leading.Leader
	worker leading.Worker
}

// Unit identifies the joining in reports.
func (j *joining) Unit() *work.Unit { return &work.Unit{Kind: report.Leadership, Owner: "joining"} }

// Run lets the worker work in the current term, if there is one.
func (j *joining) Run(context.Context) error {
	j.leader.Add(j.worker)
	return nil
}
