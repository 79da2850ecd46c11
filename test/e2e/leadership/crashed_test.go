// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kubelet"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

var (
	crashes    = flag.Int("crashes", 2, "how many leaders are killed in each way of noticing it")
	crashLease = flag.Duration("crash-lease", 9*time.Second, "the duration of their lease; a multiple of three seconds")
)

func TestC32AKilledLeaderIsFollowedAtOnceIfItsEndIsProved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		crash  func(e *env, change func(*writer.Options)) []time.Duration
		change func(*writer.Options)
		proved bool
	}{
		"its container is started again":   {restarts, func(*writer.Options) {}, true},
		"a stand-by watches its pod":       {reports, func(*writer.Options) {}, true},
		"a stand-by does not know its pod": {reports, func(o *writer.Options) { o.Election.Pod = nil }, false},
		"client-go's election alone":       {reports, func(o *writer.Options) { o.Elector = writer.ClientGo }, false},
		"controller-runtime":               {reports, func(o *writer.Options) { o.Elector = writer.ControllerRuntime }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 4, controller.LeaderElection{
				Name: "lead", LeaseDuration: *crashLease, RenewDeadline: *crashLease * 2 / 3, RetryPeriod: *crashLease * 2 / 15,
			})
			took := test.crash(e, test.change)
			for _, d := range took {
				if test.proved && d >= *crashLease {
					t.Errorf("that took %v, as long as a lease", d)
				}
			}
			var options writer.Options
			test.change(&options)
			if options.Elector == writer.Framework {
				e.assertOneWriter()
			}
			t.Logf("%s, lease of %v: from SIGKILL until the successor had written: %s", name, *crashLease, distribution(took))
		})
	}
}

// restarts kills a leader that is alone, and has it started again as a kubelet does.
func restarts(e *env, change func(*writer.Options)) (took []time.Duration) {
	options := e.inPod("r")
	change(&options)
	leader := e.start(plane.Config(), options)
	leader.await("leads", leader.writing)
	for round := range *crashes {
		time.Sleep(1100*time.Millisecond + rand.N(e.election.RetryPeriod)) // a status has whole seconds
		at := time.Now()
		leader.signal(syscall.SIGKILL)
		time.Sleep(kubelet.Delay)
		pod := *options.Election.Pod
		pod.Instance = fmt.Sprint("run ", round+1)
		options.Election.Pod = &pod
		leader = e.start(plane.Config(), options)
		leader.await("writes", leader.writing)
		took = append(took, leader.last("wrote").Sub(at))
	}
	return took
}

// reports kills leaders that have a stand-by, one after the other. A kubelet reports their ends.
func reports(e *env, change func(*writer.Options)) (took []time.Duration) {
	begin := func(name string) *process {
		options := e.inPod(name)
		change(&options)
		return e.start(plane.Config(), options)
	}
	leader := begin("r0")
	leader.await("leads", leader.writing)
	for round := range *crashes {
		next := begin(fmt.Sprintf("r%d", round+1))
		next.await("is ready", next.isReady)
		// A stand-by campaigns, and follows the pod. The leader is killed at any time between two renewals.
		time.Sleep(1500*time.Millisecond + rand.N(e.election.RetryPeriod))
		at := time.Now()
		leader.signal(syscall.SIGKILL)
		time.Sleep(kubelet.Delay)
		e.report(leader.options.Election.Identity, kubelet.Killed(at))
		next.await("writes", next.writing)
		took = append(took, next.last("wrote").Sub(at))
		leader = next
	}
	return took
}

// inPod makes a pod and returns the options of a writer in it.
func (e *env) inPod(name string) writer.Options {
	e.Helper()
	_, err := kubelet.Create(e.Context(), e.admin.CoreV1().Pods(e.namespace), name)
	e.must(err)
	return e.knowingPod(name)
}

// knowingPod returns the options of a writer in a pod that there is.
func (e *env) knowingPod(name string) writer.Options {
	e.Helper()
	pod, err := e.admin.CoreV1().Pods(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
	e.must(err)
	options := e.options(name)
	options.Election.Pod = &controller.LeaderPod{Name: name, UID: string(pod.UID), Container: kubelet.Container, Instance: "run 0"}
	return options
}

// report is what a kubelet says of the container of a pod.
func (e *env) report(name string, state corev1.ContainerState) {
	e.Helper()
	_, err := kubelet.Report(e.Context(), e.admin.CoreV1().Pods(e.namespace), name, state)
	e.must(err)
}

// A pod goes on writing, with nothing of ours in it, although its status says that its container has ended.
func TestC32WhatIsWrittenByAPodOfWhichAStatusLiesIsRefusedByTheServer(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4, steady)
	holder := newClient(e.fenced("a"))
	successor := e.fenced("b")
	e.hold("a")

	ctx, stop := context.WithCancel(t.Context())
	var writes, refused atomic.Int64
	var last atomic.Value // when the last write that was admitted began
	last.Store(time.Time{})
	var writing sync.WaitGroup
	defer writing.Wait()
	defer stop()
	writing.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			_, err := holder.CoreV1().ConfigMaps(e.namespace).Patch(ctx, "target-0", types.MergePatchType, fmt.Appendf(nil, `{"data":{"a":"%d"}}`, writes.Load()), metav1.PatchOptions{})
			switch {
			case err == nil:
				writes.Add(1)
				last.Store(began)
			case apierrors.IsForbidden(err):
				refused.Add(1)
			}
		}
	})
	eventually(t, "the holder writes", func() error {
		if writes.Load() == 0 {
			return fmt.Errorf("%d writes, %d refused", writes.Load(), refused.Load())
		}
		return nil
	})

	options := e.knowingPod("b")
	options.Election.Fenced = true
	b := e.run(successor, options)
	time.Sleep(1500 * time.Millisecond) // it campaigns, and follows the pod
	before := writes.Load()
	at := time.Now()
	e.report("a", corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(at.Add(time.Second))}})
	b.await("the other leads", b.writing)
	took := b.last("wrote").Sub(at)
	eventually(t, "the holder is refused", func() error {
		if refused.Load() < 100 {
			return fmt.Errorf("%d refused", refused.Load())
		}
		return nil
	})
	stop()
	writing.Wait()
	late := last.Load().(time.Time).Sub(at)
	if took >= steady.LeaseDuration || before == 0 || late > took+time.Second {
		t.Errorf("the other wrote after %v, the last write of the first was admitted %v after the lie", took, late)
	}
	t.Logf("after the lie the other wrote %v later; the last write of the first that was admitted began %v later, %d were refused", took, late, refused.Load())
	if len(b.lost()) > 0 {
		t.Errorf("the other has lost its term: %v", b.lost())
	}
	b.end()
}

// A leader of this framework of which a status lies is told by the Lease.
func TestC32ALeaderOfWhichAStatusLiesStopsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4, steady)
	a := e.run(plane.Config(), e.inPod("a"))
	a.await("a leads", a.writing)
	b := e.run(plane.Config(), e.inPod("b"))
	e.awaitWatch("a", "b")
	time.Sleep(1500 * time.Millisecond)
	at := time.Now()
	e.report("a", corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.NewTime(at.Add(time.Second))}})
	a.awaitLoss(cause.TermTaken)
	b.await("b leads", b.writing)
	if took := b.last("wrote").Sub(at); took >= steady.LeaseDuration {
		t.Errorf("b leads only after %v", took)
	}
	a.end()
	b.end()
}

// hold has a pod hold the Lease, as one that knows where it runs.
func (e *env) hold(name string) {
	e.Helper()
	pod, err := e.admin.CoreV1().Pods(e.namespace).Get(e.Context(), name, metav1.GetOptions{})
	e.must(err)
	e.edit(func(l *coordinationv1.Lease) {
		now := metav1.NowMicro()
		l.Spec = coordinationv1.LeaseSpec{
			HolderIdentity: &name, LeaseDurationSeconds: ptr.To(int32(steady.LeaseDuration.Seconds())), AcquireTime: &now, RenewTime: &now, LeaseTransitions: ptr.To[int32](1),
		}
		metav1.SetMetaDataAnnotation(&l.ObjectMeta, "lanyard-k8s.github.io/process", "p")
		metav1.SetMetaDataAnnotation(&l.ObjectMeta, "lanyard-k8s.github.io/holder", fmt.Sprintf(
			`{"identity":%q,"process":"p","namespace":%q,"pod":%q,"uid":%q,"container":"manager","instance":"run 0"}`, name, e.namespace, name, pod.UID))
	})
}
