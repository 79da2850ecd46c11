// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/child"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

// warmUp is how long a stand-by has before the leader is ended, and up to a retry period more, so
// that the signal meets the stand-by at any time between two of its tries.
const (
	warmUp      = 3 * time.Second
	retryPeriod = 2 * time.Second
)

func handOver() Workload {
	return Workload{
		ID: "W6", Title: "from the signal to the leader until the first write of its successor",
		Prepare: func(ctx context.Context, e *Env) error {
			for _, name := range e.Names {
				if err := e.Plane.Fill(ctx, "bench-lead-"+name, "configmap", e.Scale.Leaders); err != nil {
					return err
				}
			}
			return nil
		},
		RunTogether: func(ctx context.Context, e *Env, results []*report.Result) error {
			var pairs []*pair
			defer func() {
				for _, p := range pairs {
					p.kill()
				}
			}()
			for _, r := range results {
				p := &pair{env: e, result: r, namespace: "bench-lead-" + r.Program}
				pairs = append(pairs, p)
				if err := p.terminate(ctx); err != nil {
					return err
				}
			}
			// What a killed leader leaves is waited for, which can be done together.
			var group errgroup.Group
			for _, p := range pairs {
				group.Go(func() error { return p.crash(ctx) })
			}
			return group.Wait()
		},
	}
}

// pair is a leader and its stand-by. Each replica writes every object that another has written last.
type pair struct {
	env       *Env
	result    *report.Result
	namespace string
	replicas  []*replica // the leader first
	writes    watch.Interface
}

type replica struct {
	*child.Child
	token string
}

// terminate starts a leader, and ends it and its successors by SIGTERM.
func (p *pair) terminate(ctx context.Context) error {
	var err error
	p.writes, err = p.env.Plane.Kube.CoreV1().ConfigMaps(p.namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	leader, err := p.add()
	if err != nil {
		return err
	}
	if _, err := p.awaitWrite(ctx, leader); err != nil {
		return err
	}
	return p.handOvers(ctx, syscall.SIGTERM, "ms after SIGTERM", p.env.Scale.Terms)
}

// crash kills the leader and its successors. The last one gives up its lease, which the first one of the next
// round would have to wait for.
func (p *pair) crash(ctx context.Context) error {
	if err := p.handOvers(ctx, syscall.SIGKILL, "ms after SIGKILL", p.env.Scale.Kills); err != nil {
		return err
	}
	_, err := p.replicas[0].End(ctx)
	return err
}

func (p *pair) handOvers(ctx context.Context, s os.Signal, name string, times int) error {
	var took []float64
	for range times {
		t, err := p.handOver(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: hand-over: %w", p.result.Program, err)
		}
		took = append(took, t.Seconds()*1000)
	}
	if times > 0 {
		p.result.Values(name, took)
	}
	return nil
}

// handOver starts a stand-by, ends the leader by a signal, and returns the time until the stand-by wrote.
func (p *pair) handOver(ctx context.Context, s os.Signal) (time.Duration, error) {
	successor, err := p.add()
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(warmUp + rand.N(retryPeriod)):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	leader := p.replicas[0]
	began := time.Now()
	if err := leader.Signal(s); err != nil {
		return 0, err
	}
	at, err := p.awaitWrite(ctx, successor)
	if err != nil {
		return 0, err
	}
	leader.Kill() // it has ended, or is of no interest any more
	p.replicas = p.replicas[1:]
	return at.Sub(began), nil
}

func (p *pair) add() (*replica, error) {
	r := &replica{token: token(p.result.Program)}
	var err error
	r.Child, err = p.env.launch(p.result.Program, p.result.Workload, p.namespace,
		"-elect", "-target", "1", "-token", r.token, "-objects", strconv.Itoa(p.env.Scale.Leaders))
	if err != nil {
		return nil, err
	}
	p.replicas = append(p.replicas, r)
	return r, nil
}

var errEnded = errors.New("the program ended before it wrote")

// awaitWrite waits until an object shows that a replica has written it.
func (p *pair) awaitWrite(ctx context.Context, r *replica) (time.Time, error) {
	gone := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, err := r.Await(ctx, program.EventEnd, limit)
		if err == nil {
			err = cmp.Or(r.Ended(), errEnded)
		}
		gone <- err // has room, and nobody listens once ctx has ended
	}()
	timeout := time.NewTimer(2 * time.Minute)
	defer timeout.Stop()
	for {
		select {
		case event, ok := <-p.writes.ResultChan():
			if !ok {
				return time.Time{}, errors.New("the benchmark's own watch has ended")
			}
			object, ok := event.Object.(metav1.Object)
			if ok && strings.HasPrefix(object.GetAnnotations()[program.TokenAnnotation], r.token+"/") {
				return time.Now(), nil
			}
		case err := <-gone:
			return time.Time{}, err
		case <-timeout.C:
			return time.Time{}, fmt.Errorf("%s: no write of the successor", p.result.Program)
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
	}
}

func (p *pair) kill() {
	if p.writes != nil {
		p.writes.Stop()
	}
	for _, r := range p.replicas {
		r.Kill()
	}
}
