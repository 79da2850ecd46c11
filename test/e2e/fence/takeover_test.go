// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var takeOvers = flag.Int("takeovers", 30, "take-overs per sort of write to measure the fence's lag over")

const (
	loops   = 4  // in which the old holder writes, each as fast as it can
	warm    = 5  // writes of each loop before the lease is taken
	settled = 25 // refusals in a row after which a loop ends
)

// TestC18TheLagOfATakeOver has a holder write in tight loops while another pod takes the Lease. It asserts
// the order: once a write has been answered with a refusal, none that begins later is admitted. The times
// it only prints.
func TestC18TheLagOfATakeOver(t *testing.T) {
	e := newEnv(t, sample)
	var table strings.Builder
	for _, how := range measured() {
		results := make([]takeOver, *takeOvers)
		holder, next := e.a, e.b
		e.put(holder, &holder.name)
		for i := range results {
			results[i] = e.takeOver(how, holder, next)
			if err := e.attempt(holder, how); !fenced(err, sample) {
				t.Errorf("%s by %s some time after the take-over: %v", how.name, holder.name, err)
			}
			holder, next = next, holder
		}
		row(&table, how.name, results)
	}
	t.Logf("%d take-overs for each, times in ms: p50 / p90 / p99 / max\n%s%s", *takeOvers, heading, table.String())
}

// takeOver is what came of one.
type takeOver struct {
	began    time.Duration // from the taker's answer to the beginning of the last admitted write
	answered time.Duration // from there to that write's answer
	late     int           // writes that began after the taker's answer and were admitted
	taker    time.Duration // from there to the answer of the taker's first admitted write
	refused  int           // writes of the taker that were refused before that one
}

// call is one write of the old holder.
type call struct {
	began, answered time.Time
	admitted        bool
}

func (e *env) takeOver(how write, holder, next *writer) takeOver {
	e.Helper()
	var ready atomic.Int64
	g, ctx := errgroup.WithContext(e.Context())
	calls := make([][]call, loops)
	for i := range loops {
		g.Go(func() (err error) {
			calls[i], err = e.writeUntilRefused(ctx, how, holder, &ready)
			return err
		})
	}
	e.eventually("all loops write", func() error {
		if ready.Load() < loops && ctx.Err() == nil {
			return fmt.Errorf("%d do", ready.Load())
		}
		return nil
	})
	lease, err := e.take(e.Context(), next, &next.name)
	taken := time.Now()
	e.must(err)
	first, refused := e.firstAdmitted(how, next)
	e.must(g.Wait())
	e.awaitView(lease)
	result := e.judge(taken, slices.Concat(calls...))
	result.taker, result.refused = first.Sub(taken), refused
	return result
}

// writeUntilRefused writes until so many refusals have come in a row.
func (e *env) writeUntilRefused(ctx context.Context, how write, w *writer, ready *atomic.Int64) (calls []call, err error) {
	name := unique()
	if err := how.prepare(ctx, e, name); err != nil {
		return nil, err
	}
	for refused := 0; refused < settled; {
		if len(calls) == warm {
			ready.Add(1)
		}
		began := time.Now()
		err := how.do(ctx, e, w, name)
		calls = append(calls, call{began, time.Now(), err == nil})
		switch {
		case fenced(err, sample) && len(calls) > warm:
			refused++
		case err != nil:
			return nil, fmt.Errorf("write %d: %w", len(calls), err)
		default:
			refused = 0
			if name, err = e.anew(ctx, how, name); err != nil {
				return nil, err
			}
		}
	}
	return calls, nil
}

// anew prepares the next write, where the last one has used up what was prepared.
func (e *env) anew(ctx context.Context, how write, name string) (string, error) {
	if how.name != "create" && how.name != "delete" {
		return name, nil
	}
	name = unique()
	return name, how.prepare(ctx, e, name)
}

// firstAdmitted writes until a write is admitted, and says how many were not.
func (e *env) firstAdmitted(how write, w *writer) (answered time.Time, refused int) {
	e.Helper()
	name := unique()
	e.must(how.prepare(e.Context(), e, name))
	for end := time.Now().Add(time.Minute); ; refused++ {
		err := how.do(e.Context(), e, w, name)
		if err == nil {
			return time.Now(), refused
		}
		if !fenced(err, sample) || time.Now().After(end) {
			e.Fatalf("%s by %s, who has taken the lease: %v", how.name, w.name, err)
		}
	}
}

func (e *env) judge(taken time.Time, calls []call) (result takeOver) {
	e.Helper()
	var last, refusal call
	for _, c := range calls {
		if c.admitted && c.began.After(last.began) {
			last = c
		}
		if c.admitted && c.began.After(taken) {
			result.late++
		}
		if !c.admitted && (refusal.answered.IsZero() || c.answered.Before(refusal.answered)) {
			refusal = c
		}
	}
	if last.began.After(refusal.answered) {
		e.Errorf("a write was admitted that began %v after another had been refused", last.began.Sub(refusal.answered))
	}
	result.began, result.answered = last.began.Sub(taken), last.answered.Sub(taken)
	return result
}

const heading = "| write | the last admitted began | and was answered | admitted that began after it | the taker's first admitted was answered | refusals before that |\n|---|---|---|---|---|---|\n"

func row(table *strings.Builder, name string, results []takeOver) {
	late, refused := 0, 0
	for _, r := range results {
		late += r.late
		refused += r.refused
	}
	fmt.Fprintf(table, "| %s | %s | %s | %d | %s | %d |\n", name,
		quantiles(results, func(r takeOver) time.Duration { return r.began }),
		quantiles(results, func(r takeOver) time.Duration { return r.answered }),
		late,
		quantiles(results, func(r takeOver) time.Duration { return r.taker }),
		refused)
}

// quantiles are by nearest rank.
func quantiles(results []takeOver, of func(takeOver) time.Duration) string {
	var sorted []time.Duration
	for _, r := range results {
		sorted = append(sorted, of(r))
	}
	slices.Sort(sorted)
	var parts []string
	for _, percent := range []int{50, 90, 99, 100} {
		rank := (percent*len(sorted) + 99) / 100
		parts = append(parts, fmt.Sprintf("%.1f", sorted[rank-1].Seconds()*1000))
	}
	return strings.Join(parts, " / ")
}
