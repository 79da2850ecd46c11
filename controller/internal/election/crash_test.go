// SPDX-License-Identifier: Apache-2.0

package election

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// crash is a world with a Lease, pods and a kubelet, in which the holder of the Lease crashes.
type crash struct {
	*testing.T
	store  *store
	pods   *fake.Clientset
	fenced bool
	log    journal
	number int
	alive  sync.WaitGroup
}

func newCrash(t *testing.T) *crash {
	return &crash{T: t, store: newStore(), pods: fake.NewClientset()}
}

// journal is a log of several processes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// listed is the fake's client, which cannot send a list as a watch.
type listed struct{ corev1client.PodsGetter }

func (listed) IsWatchListSemanticsUnSupported() bool { return true }

// runner is a process that campaigns and, once it leads, renews until it is killed.
type runner struct {
	*Candidate
	process *process
	led     chan *Renewal
	end     func()
}

func homeIn(pod, container, instance string) *Home {
	return &Home{Instance: instance, Container: witness.Container{
		Namespace: "default", Pod: pod, UID: types.UID("uid-of-" + pod), Name: container,
	}}
}

// start starts a process at home, nil for nowhere. Its identity is the pod's name.
func (c *crash) start(home *Home) *runner {
	ctx, cancel := context.WithCancel(klog.NewContext(c.Context(),
		logr.FromSlogHandler(slog.NewTextHandler(&c.log, nil))))
	process := &process{number: c.number, rate: 1, start: time.Now()}
	config := configFor(c.number, &network{
		store: c.store, process: process, scale: time.Millisecond, rand: rand.New(rand.NewPCG(1, uint64(c.number))),
	})
	c.number++
	config.Clock = process.clock
	config.Home = home
	if home != nil {
		config.Identity = home.Pod
		config.Witness = witness.New(listed{c.pods.CoreV1()}, c.fenced)
	}
	r := &runner{Candidate: New(config), process: process, led: make(chan *Renewal, 1), end: cancel}
	c.alive.Go(func() { _ = r.WatchLease(ctx) })
	c.alive.Go(func() {
		renewal, err := r.Campaign(ctx)
		if err != nil {
			return
		}
		r.led <- renewal
		<-ctx.Done()
		renewal.Abandon()
	})
	return r
}

// lead starts a process that leads, and whose pod runs.
func (c *crash) lead(home *Home) *runner {
	c.Helper()
	c.report(home.Pod, home.UID, running())
	r := c.start(home)
	time.Sleep(c.seconds(10)) // from here on its times are ten seconds old
	if len(r.led) != 1 {
		c.Fatal("nobody leads")
	}
	return r
}

func (c *crash) seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// kill has a process send and hear nothing any more.
func (c *crash) kill(r *runner) {
	r.process.mu.Lock()
	r.process.dead = true
	r.process.mu.Unlock()
	r.end()
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: inSeconds()}}
}

func terminated() corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: inSeconds()}}
}

// inSeconds is now as a status has it.
func inSeconds() metav1.Time { return metav1.NewTime(time.Now().Truncate(time.Second)) }

// report is what the kubelet says of the manager of a pod.
func (c *crash) report(name string, uid types.UID, state corev1.ContainerState) {
	c.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid}, Status: corev1.PodStatus{
		ContainerStatuses: []corev1.ContainerStatus{{Name: "manager", State: state}},
	}}
	pods := c.pods.CoreV1().Pods("default")
	_, err := pods.UpdateStatus(c.Context(), pod, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = pods.Create(c.Context(), pod, metav1.CreateOptions{})
	}
	if err != nil {
		c.Fatal(err)
	}
}

func (c *crash) remove(name string) {
	c.Helper()
	if err := c.pods.CoreV1().Pods("default").Delete(c.Context(), name, metav1.DeleteOptions{}); err != nil {
		c.Fatal(err)
	}
}

// assertFollowed checks whether one of these processes leads at once, or when the lease has expired, and
// that nobody else does.
func (c *crash) assertFollowed(atOnce bool, by ...*runner) {
	c.Helper()
	const roundTrips = 100 * time.Millisecond
	leads := func() (n int) {
		for _, r := range by {
			n += len(r.led)
		}
		return n
	}
	began := time.Now()
	for leads() == 0 && time.Since(began) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	if leads() != 1 || (took < roundTrips) != atOnce || !atOnce && took < 10*time.Second {
		c.Errorf("%d lead after %v; at once: %v\n%s", leads(), took, atOnce, c.log.String())
	}
}

// close ends all processes.
func (c *crash) close(all ...*runner) {
	for _, r := range all {
		r.end()
	}
	c.alive.Wait()
	time.Sleep(time.Minute) // for requests that nobody waits for
}

func TestC32OnlyTheNextRunOfTheHoldersContainerTakesTheLeaseAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		next   *Home
		atOnce bool
	}{
		"the container, started again":       {homeIn("pod-a", "manager", "2"), true},
		"another container of the pod":       {homeIn("pod-a", "other", "2"), false},
		"another process of the same run":    {homeIn("pod-a", "manager", "1"), false},
		"a run that is not known":            {homeIn("pod-a", "manager", ""), false},
		"another pod":                        {homeIn("pod-b", "manager", "2"), false},
		"a process that knows of no pod":     {nil, false},
		"a pod of the same name, made again": {&Home{Instance: "2", Container: witness.Container{Namespace: "default", Pod: "pod-a", UID: "another", Name: "manager"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrash(t)
				first := c.lead(homeIn("pod-a", "manager", "1"))
				number := (<-first.led).Term.Number
				c.kill(first)
				next := c.start(test.next)
				c.assertFollowed(test.atOnce, next)
				if term := (<-next.led).Term; term.Number != number+1 {
					t.Errorf("term %d follows term %d", term.Number, number)
				}
				if test.atOnce != strings.Contains(c.log.String(), "because=\"it ran in this container before it was started again\"") ||
					test.atOnce && strings.Contains(c.log.String(), "level=ERROR") {
					t.Errorf("the log is\n%s", c.log.String())
				}
				c.close(next)
			})
		})
	}
}

// A program that knows nothing of the annotation takes the lease, and leaves it.
func TestC32WhatALeaseSaysOfAnEarlierHolderIsNoProof(t *testing.T) {
	for name, take := range map[string]func(*coordinationv1.Lease){
		"another identity": func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("another") },
		"another process":  func(l *coordinationv1.Lease) { l.Annotations[ProcessAnnotation] = "another" },
		"no process":       func(l *coordinationv1.Lease) { delete(l.Annotations, ProcessAnnotation) },
		"not readable":     func(l *coordinationv1.Lease) { l.Annotations[HolderAnnotation] = "{" },
		"without a UID": func(l *coordinationv1.Lease) {
			l.Annotations[HolderAnnotation] = strings.ReplaceAll(l.Annotations[HolderAnnotation], "uid-of-pod-a", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrash(t)
				first := c.lead(homeIn("pod-a", "manager", "1"))
				c.kill(first)
				c.store.edit(take)
				c.report("pod-a", "uid-of-pod-a", terminated())
				next := c.start(homeIn("pod-a", "manager", "2"))
				standBy := c.start(homeIn("pod-b", "manager", "1"))
				c.assertFollowed(false, next, standBy)
				c.close(next, standBy)
			})
		})
	}
}

func TestC32AStandByTakesTheLeaseInTheMomentInWhichTheHoldersEndIsProved(t *testing.T) {
	for name, test := range map[string]struct {
		happens       func(c *crash)
		plain, fenced bool // proved, without and with the server's fence
	}{
		"nothing is reported":    {func(*crash) {}, false, false},
		"it ended":               {func(c *crash) { c.report("pod-a", "uid-of-pod-a", terminated()) }, true, true},
		"it was started again":   {func(c *crash) { c.report("pod-a", "uid-of-pod-a", running()) }, true, true},
		"its pod is gone":        {func(c *crash) { c.remove("pod-a") }, false, true},
		"its pod ended and went": {func(c *crash) { c.report("pod-a", "uid-of-pod-a", terminated()); c.remove("pod-a") }, true, true},
		"its pod was made again": {func(c *crash) { c.remove("pod-a"); c.report("pod-a", "another", running()) }, false, true},
		"an earlier run had ended": {func(c *crash) {
			c.report("pod-a", "uid-of-pod-a", corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				FinishedAt: metav1.NewTime(time.Now().Add(-time.Minute).Truncate(time.Second)),
			}})
		}, false, false},
	} {
		for _, fenced := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", with the fence"}[fenced], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCrash(t)
					c.fenced = fenced
					first := c.lead(homeIn("pod-a", "manager", "1"))
					standBys := []*runner{c.start(homeIn("pod-b", "manager", "1")), c.start(homeIn("pod-c", "manager", "1"))}
					time.Sleep(c.seconds(9))
					c.kill(first)
					time.Sleep(time.Second) // so that the report is of a later second
					test.happens(c)
					c.assertFollowed(fenced && test.fenced || !fenced && test.plain, standBys...)
					c.close(standBys...)
				})
			})
		}
	}
}

func TestC32WithoutThePermissionAllIsAsBeforeAndSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t)
		c.fenced = true
		first := c.lead(homeIn("pod-a", "manager", "1"))
		forbidden := apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no"))
		c.pods.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
		c.pods.PrependWatchReactor("pods", clienttesting.DefaultWatchReactor(nil, forbidden))
		next := c.start(homeIn("pod-b", "manager", "1"))
		time.Sleep(10 * time.Minute)
		c.kill(first)
		c.report("pod-a", "uid-of-pod-a", terminated())
		c.assertFollowed(false, next)
		if log := c.log.String(); strings.Count(log, "grant get, list and watch on pods") != 1 || strings.Contains(log, "level=ERROR") {
			t.Errorf("the log is\n%s", log)
		}
		c.close(next)
	})
}

// A status that says that a holder has ended which has not: the holder is told by its Lease, as of any
// other who takes it, and does not write after it.
func TestC32AHolderOfWhichAStatusLiesLosesItsTermAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t)
		first := c.lead(homeIn("pod-a", "manager", "1"))
		next := c.start(homeIn("pod-b", "manager", "1"))
		time.Sleep(c.seconds(5))
		lie := terminated()
		lie.Terminated.FinishedAt = metav1.NewTime(time.Now().Add(time.Second).Truncate(time.Second))
		c.report("pod-a", "uid-of-pod-a", lie)
		c.assertFollowed(true, next)
		time.Sleep(10 * time.Millisecond)
		var ended *cause.TermEnded
		if err := (<-first.led).Term.Err(); !errors.As(err, &ended) || ended.How != cause.TermTaken {
			t.Errorf("its term: %v", err)
		}
		c.close(first, next)
	})
}

func TestC32AHolderThatRenewsIsNotTakenForEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t)
		first := c.lead(homeIn("pod-a", "manager", "1"))
		lie := terminated()
		lie.Terminated.FinishedAt = metav1.NewTime(time.Now().Add(-5 * time.Second).Truncate(time.Second))
		c.report("pod-a", "uid-of-pod-a", lie)
		next := c.start(homeIn("pod-b", "manager", "1"))
		time.Sleep(10 * time.Minute)
		if len(next.led) != 0 || (<-first.led).Term.Err() != nil {
			t.Errorf("another leads:\n%s", c.log.String())
		}
		c.close(first, next)
	})
}

func TestC32OnlyAStandByFollowsThePodAndOnlyTheHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t)
		watched := func() (names []string) {
			for _, action := range c.pods.Actions() {
				if w, ok := action.(clienttesting.WatchAction); ok {
					name, _ := w.GetWatchRestrictions().Fields.RequiresExactMatch(metav1.ObjectNameField)
					names = append(names, name)
				}
			}
			c.pods.ClearActions()
			return names
		}
		first := c.lead(homeIn("pod-a", "manager", "1"))
		time.Sleep(time.Minute)
		if got := watched(); len(got) != 0 {
			t.Errorf("a leader watches %v", got)
		}
		next := c.start(homeIn("pod-b", "manager", "1"))
		time.Sleep(time.Minute)
		if got := watched(); len(got) != 1 || got[0] != "pod-a" {
			t.Errorf("a stand-by watches %v", got)
		}
		c.store.edit(Vacate)
		time.Sleep(time.Minute)
		if got := watched(); len(next.led) != 1 || len(got) != 0 {
			t.Errorf("it leads: %v, and watches %v", len(next.led) == 1, got)
		}
		c.close(first, next)
	}) // which fails if a watch is left
}
