// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

const (
	oneSpace  = "bench-one"
	fullSpace = "bench-full"
)

func start() Workload {
	return Workload{
		ID: "W1", Title: "start with many objects, nothing to do",
		Prepare: func(ctx context.Context, e *Env) error {
			return errors.Join(
				e.Plane.Fill(ctx, oneSpace, "configmap", 1),
				e.Plane.Fill(ctx, fullSpace, "configmap", e.Scale.Objects))
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			return e.cached(ctx, name, r, fullSpace, e.Scale.Objects)
		},
	}
}

func large() Workload {
	return Workload{
		ID: "W10", Title: "start with very many objects",
		Prepare: func(ctx context.Context, e *Env) error {
			return errors.Join(
				e.Plane.Fill(ctx, oneSpace, "configmap", 1),
				e.Plane.Fill(ctx, "bench-large", "configmap", e.Scale.Large))
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			if e.Scale.Large == 0 {
				r.Missing = "in the full run only"
				return nil
			}
			return e.cached(ctx, name, r, "bench-large", e.Scale.Large)
		},
	}
}

// cached starts a program on n objects and lets it see each of them. Memory is compared with the same
// program on one object.
func (e *Env) cached(ctx context.Context, name string, r *report.Result, namespace string, n int) error {
	_, empty, err := e.see(ctx, name, r.Workload+"-one", oneSpace, 1)
	if err != nil {
		return err
	}
	before, err := e.Plane.Read(ctx)
	if err != nil {
		return err
	}
	whole, memory, err := e.see(ctx, name, r.Workload, namespace, n)
	if err != nil {
		return err
	}
	after, err := e.Plane.Read(ctx)
	if err != nil {
		return err
	}
	// From the start of the process: what it takes to get there is part of it.
	s := between(program.Snapshot{At: whole[0].At}, whole[1])
	r.Add("CPU s until all are reconciled", s.cpu)
	server := after.Sub(before)
	s.figures(r, "reconcile", float64(n), server)
	r.Note("API requests, all told", server.Requests)
	r.Add("s from the first to the last reconcile", s.seconds)
	r.Add("MB per 10,000 objects", float64(memory.Resident-empty.Resident)/float64(n)*10_000/1e6)
	r.Add("MB with one object", float64(empty.Resident)/1e6)
	r.Note("goroutines", float64(memory.Goroutines))
	return nil
}

// see starts a program on n objects, waits until it has seen them, and returns what it had used at the
// first and the last, and its memory after that.
func (e *Env) see(ctx context.Context, name, workload, namespace string, n int) (times [2]program.Snapshot, memory program.Snapshot, err error) {
	c, err := e.launch(name, workload, namespace, "-objects", strconv.Itoa(n))
	if err != nil {
		return times, memory, err
	}
	defer c.Kill()
	for i, name := range []string{program.EventFirst, program.EventDone} {
		event, err := c.Await(ctx, name, limit)
		if err != nil {
			return times, memory, err
		}
		times[i] = event.Snapshot
	}
	settled, err := c.Ask(ctx, program.CommandMemory)
	if err != nil {
		return times, memory, fmt.Errorf("measure memory: %w", err)
	}
	_, err = c.End(ctx)
	return times, settled.Snapshot, err
}
