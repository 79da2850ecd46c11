// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/child"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/plane"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

const churnSpace = "bench-churn"

// churnRate is how many objects change each second. One in ten is deleted and made anew.
const churnRate = 100

func churn() Workload {
	return Workload{
		ID: "W7", Title: "churn: memory and goroutines over time",
		Once: true,
		Prepare: func(ctx context.Context, e *Env) error {
			return e.Plane.Fill(ctx, churnSpace, "configmap", e.Scale.ChurnSet)
		},
		RunTogether: func(ctx context.Context, e *Env, results []*report.Result) error {
			var all []*churned
			defer func() {
				for _, c := range all {
					c.Kill()
				}
			}()
			for _, r := range results {
				c, first, err := e.ready(ctx, r.Program, r.Workload, churnSpace, e.Scale.ChurnSet, program.CommandMemory)
				if err != nil {
					return err
				}
				all = append(all, &churned{Child: c, first: first.Snapshot, result: r})
			}
			ended, end := context.WithTimeout(ctx, e.Scale.Churn)
			defer end()
			var group errgroup.Group
			group.Go(func() error { return e.churn(ctx, ended) })
			for _, c := range all {
				group.Go(func() error { return c.sample(ctx, ended) })
			}
			err := group.Wait()
			for _, c := range all {
				if err == nil {
					err = c.finish(ctx)
				}
			}
			return err
		},
	}
}

// churned is a program whose objects change.
type churned struct {
	*child.Child
	result *report.Result
	first  program.Snapshot // before the changes
	times  []float64        // seconds since they began
	memory []float64        // MB resident then
}

// finish measures what is left after the changes, and ends the program.
func (c *churned) finish(ctx context.Context) error {
	last, err := c.Ask(ctx, program.CommandMemory)
	if err != nil {
		return err
	}
	r, half := c.result, len(c.times)/2 // before that it still grows to what the collector keeps
	r.Series = append(r.Series, report.Series{Name: "MB resident", X: c.times, Y: c.memory})
	r.Note("MB per minute, second half", slope(c.times[half:], c.memory[half:])*60)
	r.Add("MB resident, at the end", report.Median(c.memory[half:]))
	r.Note("MB more after collection", float64(last.Snapshot.Resident-c.first.Resident)/1e6)
	r.Note("goroutines more", float64(last.Snapshot.Goroutines-c.first.Goroutines))
	_, err = c.End(ctx)
	return err
}

// churn changes objects until ended; what is under way then is finished, so that none stays deleted.
func (e *Env) churn(ctx, ended context.Context) error {
	ticker := time.NewTicker(time.Second / churnRate)
	defer ticker.Stop()
	busy := make(chan struct{}, churnRate)
	var group errgroup.Group
	for i := 0; ; i++ {
		select {
		case <-ticker.C:
		case <-ended.Done():
			return group.Wait()
		}
		name := plane.Name(i % e.Scale.ChurnSet)
		busy <- struct{}{}
		group.Go(func() error {
			defer func() { <-busy }()
			if rand.N(10) == 0 {
				return ignoreRace(e.Plane.Recreate(ctx, churnSpace, name))
			}
			_, err := e.Plane.Change(ctx, churnSpace, name)
			return ignoreRace(err)
		})
	}
}

// sample asks the program for its memory every so often.
func (c *churned) sample(ctx, ended context.Context) error {
	began := time.Now()
	every := time.NewTicker(250 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ended.Done():
			return nil
		}
		sample, err := c.Ask(ctx, program.CommandSample)
		if err != nil {
			return err
		}
		c.times = append(c.times, time.Since(began).Seconds())
		c.memory = append(c.memory, float64(sample.Snapshot.Resident)/1e6)
	}
}

// slope is that of the straight line with the least squares.
func slope(x, y []float64) float64 {
	var sumX, sumY, sumXY, sumXX float64
	n := float64(len(x))
	for i := range x {
		sumX += x[i]
		sumY += y[i]
		sumXY += x[i] * y[i]
		sumXX += x[i] * x[i]
	}
	if d := n*sumXX - sumX*sumX; d != 0 {
		return (n*sumXY - sumX*sumY) / d
	}
	return 0
}
