package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

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
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			c, first, err := e.ready(ctx, name, r.Workload, churnSpace, e.Scale.ChurnSet, program.CommandMemory)
			if err != nil {
				return err
			}
			defer c.Kill()
			ended, end := context.WithTimeout(ctx, e.Scale.Churn)
			defer end()
			var group errgroup.Group
			group.Go(func() error { return e.churn(ctx, ended) })
			times, resident, err := sampled(ctx, ended, c.Ask)
			if churnErr := group.Wait(); churnErr != nil {
				return churnErr
			}
			if err != nil {
				return err
			}
			last, err := c.Ask(ctx, program.CommandMemory)
			if err != nil {
				return err
			}
			r.Series = append(r.Series, report.Series{Name: "MB resident", X: times, Y: resident})
			half := len(times) / 2 // before that it still grows to what the collector keeps
			r.Note("MB per minute, second half", slope(times[half:], resident[half:])*60)
			r.Add("MB resident, at the end", report.Median(resident[half:]))
			r.Note("MB more after collection", float64(last.Snapshot.Resident-first.Snapshot.Resident)/1e6)
			r.Note("goroutines more", float64(last.Snapshot.Goroutines-first.Snapshot.Goroutines))
			_, err = c.End(ctx)
			return err
		},
	}
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

// sampled asks a program for its memory every so often.
func sampled(ctx, ended context.Context, ask func(context.Context, string) (program.Event, error)) (times, resident []float64, err error) {
	began := time.Now()
	every := time.NewTicker(250 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ended.Done():
			return times, resident, nil
		}
		sample, err := ask(ctx, program.CommandSample)
		if err != nil {
			return nil, nil, err
		}
		times = append(times, time.Since(began).Seconds())
		resident = append(resident, float64(sample.Snapshot.Resident)/1e6)
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
