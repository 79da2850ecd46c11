// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/plane"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

const eventSpace = "bench-events"

func latency() Workload {
	return Workload{
		ID: "W3", Title: "changes at a fixed rate, time from the change to its reconcile",
		Prepare: func(ctx context.Context, e *Env) error {
			return e.Plane.Fill(ctx, eventSpace, "configmap", e.Scale.Events)
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			c, before, err := e.ready(ctx, name, r.Workload, eventSpace, e.Scale.Events, program.CommandSample)
			if err != nil {
				return err
			}
			defer c.Kill()
			sent, err := e.changes(ctx)
			if err != nil {
				return err
			}
			time.Sleep(time.Second) //ctxvet:ok ctxblock: a second, for the last changes to arrive
			after, err := c.Ask(ctx, program.CommandSample)
			if err != nil {
				return err
			}
			var took []float64
			for _, heard := range after.Heard {
				if sent[heard.Sent] {
					took = append(took, heard.After.Seconds()*1000)
				}
			}
			s := between(before.Snapshot, after.Snapshot)
			r.Percentiles("ms from change to reconcile", took)
			r.Add("CPU s per 1,000 changes", s.cpu/float64(len(sent))*1000)
			r.Add("allocations per change", s.allocs/float64(len(sent)))
			r.Note("changes not seen one by one", float64(len(sent)-len(took)))
			_, err = c.End(ctx)
			return err
		},
	}
}

// changes makes changes at the fixed rate, whether or not those before have been answered, and returns when
// each was sent.
func (e *Env) changes(ctx context.Context) (map[int64]bool, error) {
	ticker := time.NewTicker(time.Second / time.Duration(e.Scale.Rate))
	defer ticker.Stop()
	n := int(e.Scale.Listen.Seconds() * float64(e.Scale.Rate))
	times := make([]int64, n)
	group, ctx := errgroup.WithContext(ctx)
	for i := range n {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, group.Wait()
		}
		group.Go(func() (err error) {
			times[i], err = e.Plane.Change(ctx, eventSpace, plane.Name(i%e.Scale.Events))
			return err
		})
	}
	err := group.Wait()
	sent := map[int64]bool{}
	for _, at := range times {
		sent[at] = true
	}
	return sent, err
}

func burst() Workload {
	return Workload{
		ID: "W4", Title: "an urgent event in the middle of a burst",
		Prepare: start().Prepare,
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) (err error) {
			// One more than there are: the urgent one is new, so that whoever serves in the order of arrival
			// serves it last, wherever the others are in the queue.
			c, err := e.launch(name, r.Workload, fullSpace, "-objects", strconv.Itoa(e.Scale.Objects+1), "-work", e.Scale.Burst.String())
			if err != nil {
				return err
			}
			defer c.Kill()
			first, err := c.Await(ctx, program.EventFirst, limit)
			if err != nil {
				return err
			}
			sent, err := e.Plane.CreateUrgent(ctx, fullSpace)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Plane.DeleteUrgent(ctx, fullSpace)) }()
			done, err := c.Await(ctx, program.EventDone, limit)
			if err != nil {
				return err
			}
			sample, err := c.Ask(ctx, program.CommandSample)
			if err != nil {
				return err
			}
			for _, heard := range sample.Heard {
				if heard.Sent == sent {
					r.Add("ms until the urgent one is reconciled", heard.After.Seconds()*1000)
				}
			}
			r.Add("ms until all are", done.Snapshot.At.Sub(first.Snapshot.At).Seconds()*1000)
			_, err = c.End(ctx)
			return err
		},
	}
}
