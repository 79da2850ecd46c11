// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/plane"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

func writes() Workload {
	return writing("W2", "one write for each object", "bench-writes", "configmap")
}

func custom() Workload {
	return writing("W8", "one write for each object, a custom resource (JSON)", "bench-custom", "flunder")
}

func writing(id, title, namespace, kind string) Workload {
	return Workload{
		ID: id, Title: title,
		Prepare: func(ctx context.Context, e *Env) error { return e.Plane.Fill(ctx, namespace, kind, e.Scale.Writes) },
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			before, err := e.Plane.Read(ctx)
			if err != nil {
				return err
			}
			s, err := e.write(ctx, name, r.Workload, namespace, "-kind", kind, "-objects", strconv.Itoa(e.Scale.Writes), "-target", "1")
			if err != nil {
				return err
			}
			after, err := e.Plane.Read(ctx)
			if err != nil {
				return err
			}
			s.figures(r, "write", s.writes, after.Sub(before))
			r.Add("reconciles per write", s.reconciles/s.writes)
			r.Add("s until all are written and seen", s.seconds)
			return nil
		},
	}
}

// write has a program write as leader, as in production, and returns what it used from its first reconcile until it
// had seen all its writes in its cache. What it needs to start is W1's to measure.
func (e *Env) write(ctx context.Context, name, workload, namespace string, args ...string) (spent, error) {
	c, err := e.launch(name, workload, namespace, append(args, "-elect", "-token", token(name))...)
	if err != nil {
		return spent{}, err
	}
	defer c.Kill()
	first, err := c.Await(ctx, program.EventFirst, limit)
	if err != nil {
		return spent{}, err
	}
	done, err := c.Await(ctx, program.EventDone, limit)
	if err != nil {
		return spent{}, err
	}
	if _, err := c.End(ctx); err != nil {
		return spent{}, err
	}
	return between(first.Snapshot, done.Snapshot), nil
}

const contendedSpace = "bench-contended"

// rivals is how many requests the second writer has under way.
const rivals = 4

func conflicts() Workload {
	return Workload{
		ID: "W9", Title: "writes, with a second writer that causes conflicts",
		Prepare: func(ctx context.Context, e *Env) error {
			return e.Plane.Fill(ctx, contendedSpace, "configmap", e.Scale.Contended)
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			before, err := e.Plane.Read(ctx)
			if err != nil {
				return err
			}
			rival, stop := startRival(ctx, e)
			s, err := e.write(ctx, name, r.Workload, contendedSpace,
				"-objects", strconv.Itoa(e.Scale.Contended), "-target", strconv.Itoa(e.Scale.Increments))
			stop()
			made, rivalErr := rival()
			if err != nil {
				return err
			}
			if rivalErr != nil {
				return rivalErr
			}
			after, err := e.Plane.Read(ctx)
			if err != nil {
				return err
			}
			used := after.Sub(before)
			// The server's CPU cannot be told apart by whom it worked for.
			s.figures(r, "write", s.writes, plane.Reading{Requests: used.Requests - made})
			r.Figures = r.Figures[:len(r.Figures)-1]
			r.Add("conflicts per write", s.conflicts/s.writes)
			r.Add("reconciles per write", s.reconciles/s.writes)
			r.Add("s until all are written and seen", s.seconds)
			return nil
		},
	}
}

// startRival changes the objects, one after the other, until stop. wait returns how many changes there were.
func startRival(ctx context.Context, e *Env) (wait func() (float64, error), stop func()) {
	ended, stop := context.WithCancel(ctx)
	counts := make([]int, rivals)
	var group errgroup.Group
	for w := range rivals {
		group.Go(func() error {
			for i := w; ended.Err() == nil; i += rivals {
				// On ctx: a change that was cut short might have been made, and would not be counted.
				if _, err := e.Plane.Change(ctx, contendedSpace, plane.Name(i%e.Scale.Contended)); err != nil {
					return err
				}
				counts[w]++
			}
			return nil
		})
	}
	return func() (float64, error) {
		err := group.Wait()
		sum := 0
		for _, n := range counts {
			sum += n
		}
		return float64(sum), err
	}, stop
}
