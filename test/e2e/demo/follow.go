// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/informers/externalversions"
)

// view is what a person sees of the Flunders: a line when one's Ready condition changes, and a table
// when all have come to a verdict.
type view struct {
	play     *play
	began    time.Time
	flunders map[types.NamespacedName]*seen
	applied  bool // all samples are
	settled  bool // the table has been shown since the last change
}

type seen struct {
	first   time.Time
	at      time.Time // of the last change
	reason  string
	ready   bool
	waiting bool
}

// follow applies the samples and shows what happens until ctx ends, the controller is gone, or, with
// once, all is settled.
func follow(ctx context.Context, st *stage, p *play, once bool) error {
	ctx, cancel := context.WithCancel(ctx)
	changes := make(chan change)
	informer, err := watch(ctx, st, changes)
	if err != nil {
		cancel()
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { informer.RunWithContext(ctx) })
	if !cache.WaitFor(ctx, "", informer.HasSyncedChecker()) {
		return nil
	}
	v := &view{play: p, began: time.Now(), flunders: map[types.NamespacedName]*seen{}}
	applied := make(chan error, 1)
	running.Go(func() { applied <- st.applySamples(ctx) })
	return v.show(ctx, st, changes, applied, once)
}

// watch makes an informer that sends each change of a Flunder among the samples.
func watch(ctx context.Context, st *stage, changes chan<- change) (cache.TypedSharedIndexInformer[*v1beta1.Flunder], error) {
	client, err := versioned.NewForConfig(st.admin)
	if err != nil {
		return nil, err
	}
	informer := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithNamespace(samplesNamespace)).
		Wardle().V1beta1().Flunders().TypedInformer()
	send := func(c change) {
		select {
		case changes <- c:
		case <-ctx.Done():
		}
	}
	_, err = informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[*v1beta1.Flunder]{
		AddFunc:    func(f *v1beta1.Flunder) { send(change{name: f.Name, flunder: f}) },
		UpdateFunc: func(_, f *v1beta1.Flunder) { send(change{name: f.Name, flunder: f}) },
		DeleteFunc: func(d cache.DeletedObject[*v1beta1.Flunder]) { send(change{name: d.GetObjectName().Name}) },
	})
	return informer, err
}

// show is follow's loop.
func (v *view) show(ctx context.Context, st *stage, changes <-chan change, applied <-chan error, once bool) error {
	const pause = 700 * time.Millisecond // the controller's log comes a moment after its writes
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	for {
		select {
		case err := <-applied:
			if err != nil && ctx.Err() == nil {
				return err
			}
			v.applied = true
			quiet.Reset(pause)
		case c := <-changes:
			v.note(c)
			quiet.Reset(pause)
		case <-quiet.C:
			if v.table(st) && once {
				return nil
			}
		case <-v.play.exited:
			return errors.New("the sample controller is gone")
		case <-ctx.Done():
			return nil
		}
	}
}

type change struct {
	name    string
	flunder *v1beta1.Flunder // nil when it has been deleted
}

func (v *view) note(c change) {
	name := types.NamespacedName{Namespace: samplesNamespace, Name: c.name}
	if c.flunder == nil {
		delete(v.flunders, name)
		v.line(name.Name, "deleted", "")
		return
	}
	s := v.flunders[name]
	if s == nil {
		s = &seen{first: time.Now()}
		v.flunders[name] = s
	}
	condition := meta.FindStatusCondition(c.flunder.Status.Conditions, v1beta1.ConditionReady)
	if condition == nil || c.flunder.Status.ObservedGeneration != c.flunder.Generation {
		s.waiting, s.ready, v.settled = true, false, false
		return
	}
	progressing := meta.IsStatusConditionTrue(c.flunder.Status.Conditions, v1beta1.ConditionProgressing)
	if condition.Reason != s.reason {
		v.line(name.Name, condition.Reason, condition.Message)
		s.at, v.settled = time.Now(), false
	}
	s.reason, s.ready, s.waiting = condition.Reason, condition.Status == metav1.ConditionTrue, progressing
}

func (v *view) line(name, reason, message string) {
	v.settled = false
	fmt.Printf("  +%-7s %-10s %-20s %s\n", round(time.Since(v.began)), name, reason, message)
}

// table shows each Flunder's outcome, how long it took and what it cost, once for each time that all of
// them have one.
func (v *view) table(st *stage) bool {
	if v.settled || !v.applied || len(v.flunders) == 0 {
		return false
	}
	for _, s := range v.flunders {
		if s.waiting && s.reason != v1beta1.ReasonReferenceNotFound && s.reason != v1beta1.ReasonReferenceNotReady {
			return false
		}
	}
	v.settled = true
	fmt.Printf("\n  %-10s %-7s %-20s %-9s %-11s %-10s %s\n", "FLUNDER", "READY", "REASON", "TOOK", "RECONCILES", "API CALLS", "OF THEM WRITES")
	names := slices.SortedFunc(maps.Keys(v.flunders), func(a, b types.NamespacedName) int { return v.flunders[a].at.Compare(v.flunders[b].at) })
	for _, name := range names {
		s, c := v.flunders[name], v.play.cost(name)
		fmt.Printf("  %-10s %-7v %-20s %-9s %-11d %-10d %d\n", name.Name, s.ready, s.reason, round(s.at.Sub(s.first)), c.reconciles, c.calls, c.writes)
	}
	hints(st)
	return true
}

func hints(st *stage) {
	fmt.Printf(`
  kubectl:   export KUBECONFIG=%s
  try next:  kubectl -n %[2]s get flunders -o wide
             kubectl -n %[2]s scale flunder front --replicas=5
             kubectl -n %[2]s patch flunder pong --type=merge -p '{"spec":{"flunderReference":null}}'    # breaks the cycle
             kubectl -n %[2]s delete flunder base    # what refers to it says so
             kill the leader by its process id, and the other goes on; with -9 when the lease has expired
  Ctrl-C ends the controllers, with an account of what they were doing, and then the rest.

`, st.kubeconfig, samplesNamespace)
}

func say(what, format string, args ...any) {
	fmt.Printf("%-14s %s\n", what, fmt.Sprintf(format, args...))
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
