// SPDX-License-Identifier: Apache-2.0

package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// soak is the world, and the plan by which it is disturbed.
type soak struct {
	t        *testing.T
	random   *rand.Rand // of the plan
	kube     kubernetes.Interface
	wardle   versioned.Interface
	replicas []*replica
	rules    []*shutdowntest.Rule
	done     int
	rests    int
}

func newSoak(t *testing.T, seed uint64) *soak {
	config := plane.Config()
	config.QPS = -1
	s := &soak{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // a plan that can be had again
		kube: kubernetes.NewForConfigOrDie(config), wardle: versioned.NewForConfigOrDie(config),
	}
	for n := range teams {
		if _, err := s.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("team-%d", n)}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		s.replicas = append(s.replicas, newReplica(t, fmt.Sprintf("r%d", n)))
	}
	return s
}

// pause waits, and returns an error if ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// next draws a disturbance.
func (s *soak) next(all []disturbance) disturbance {
	sum := 0
	for _, d := range all {
		sum += d.weight
	}
	n := s.random.IntN(sum)
	for _, d := range all {
		if n -= d.weight; n < 0 {
			return d
		}
	}
	panic("the weights have another sum")
}

// TestTheSampleComesToRestWhateverHappens for -soak, 30 s by default; `make soak` runs it for ten minutes.
func TestTheSampleComesToRestWhateverHappens(t *testing.T) {
	plan := *seed
	for plan == 0 {
		plan = rand.Uint64() //nolint:gosec // it is printed
	}
	t.Logf("the plan is that of -soak-seed %d", plan)
	s := newSoak(t, plan)
	s.rest(t.Context())
	all := disturbances()
	for began := time.Now(); time.Since(began) < *length; {
		for range 5 + s.random.IntN(20) {
			d := s.next(all)
			wait := time.Duration(s.random.Int64N(int64(300 * time.Millisecond)))
			if testing.Verbose() {
				t.Logf("%v: %s", time.Since(began).Round(time.Millisecond), d.what)
			}
			if err := d.do(s, t.Context()); err != nil {
				t.Fatalf("%s: %v", d.what, err)
			}
			s.done++
			if pause(t.Context(), wait) != nil {
				return
			}
		}
		s.rest(t.Context())
	}
	starts := 0
	for _, r := range s.replicas {
		starts += r.starts
		r.end()
	}
	t.Logf("%d disturbances, %d times at rest, %d processes", s.done, s.rests, starts)
}
