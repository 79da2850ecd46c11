// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

const cancelSpace = "bench-cancel"

func cancelled() Workload {
	return Workload{
		ID: "W5", Title: "from the end of the root to the return of each outstanding call",
		Prepare: func(ctx context.Context, e *Env) error {
			return e.Plane.Fill(ctx, cancelSpace, "configmap", slices.Max(e.Scale.Outstanding))
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			for _, n := range e.Scale.Outstanding {
				if err := e.cancel(ctx, name, n, r); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// cancel has n workers make a call that is never answered, and then ends the program.
func (e *Env) cancel(ctx context.Context, name string, n int, r *report.Result) error {
	holder, err := e.Plane.NewHolder(e.Dir)
	if err != nil {
		return err
	}
	defer holder.Close()
	c, err := e.launchAt(holder.Kubeconfig, name, r.Workload, cancelSpace, "-live", "-workers", strconv.Itoa(n))
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := holder.Await(ctx, n); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	connections := holder.Connections()
	last, err := c.End(ctx)
	if err != nil {
		return err
	}
	if len(last.Returned) != n {
		return fmt.Errorf("%s: %d of %d calls returned", name, len(last.Returned), n)
	}
	var took []float64
	for _, t := range last.Returned {
		took = append(took, t.Seconds()*1000)
	}
	r.Percentiles(fmt.Sprintf("%d calls: ms to return", n), took)
	r.Add(fmt.Sprintf("%d calls: connections", n), float64(connections))
	r.Note(fmt.Sprintf("%d calls: more begun after the end", n), float64(last.Late))
	return nil
}
