// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func manager() Container {
	return Container{Namespace: "shop", Pod: "shop-0", UID: "uid-1", Name: "manager"}
}

// place is a server with pods and a witness.
type place struct {
	*testing.T
	client  *fake.Clientset
	witness *Witness
	changes atomic.Int64
}

func newPlace(t *testing.T, fenced bool) *place {
	client := fake.NewClientset()
	return &place{T: t, client: client, witness: New(listed{client.CoreV1()}, fenced)}
}

// listed is the fake's client, which cannot send a list as a watch.
type listed struct{ corev1client.PodsGetter }

func (listed) IsWatchListSemanticsUnSupported() bool { return true }

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
	synctest.Wait()
}

func (p *place) create(uid types.UID, state corev1.ContainerState) {
	p.Helper()
	pod := withStatus("manager", state, corev1.ContainerState{})
	pod.Name, pod.UID = "shop-0", uid
	_, err := p.client.CoreV1().Pods("shop").Create(p.Context(), pod, metav1.CreateOptions{})
	p.must(err)
}

func (p *place) report(state corev1.ContainerState) {
	p.Helper()
	pod, err := p.client.CoreV1().Pods("shop").Get(p.Context(), "shop-0", metav1.GetOptions{})
	p.must(err)
	pod.Status = withStatus("manager", state, corev1.ContainerState{}).Status
	_, err = p.client.CoreV1().Pods("shop").UpdateStatus(p.Context(), pod, metav1.UpdateOptions{})
	p.must(err)
}

func (p *place) remove() {
	p.Helper()
	p.must(p.client.CoreV1().Pods("shop").Delete(p.Context(), "shop-0", metav1.DeleteOptions{}))
}

// follow follows the manager's pod until the test ends.
func (p *place) follow() (stop func()) {
	stop = p.witness.Follow(quietly(p.Context()), manager(), func() { p.changes.Add(1) })
	synctest.Wait()
	return stop
}

func (p *place) ended() string { return p.witness.Ended(manager(), acquired(), renewed()) }

func quietly(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }

func TestC32AnEndIsKnownInTheMomentInWhichItIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, false)
		p.create("uid-1", running(-5))
		if how := p.ended(); how != "" {
			t.Errorf("nobody follows the pod, and it is known that %s", how)
		}
		defer p.follow()()
		if how := p.ended(); how != "" {
			t.Errorf("it runs, and it is known that %s", how)
		}
		before := p.changes.Load()
		p.report(terminated(9))
		if how := p.ended(); how == "" || p.changes.Load() == before {
			t.Errorf("it is known that %q, and %d were told", how, p.changes.Load()-before)
		}
		// A status that runs backwards takes nothing apart: it only proves nothing any more.
		p.report(running(-5))
		if how := p.ended(); how != "" {
			t.Errorf("the status says again that it runs, and it is known that %s", how)
		}
	})
}

func TestC32ADeletedPodIsAProofOnlyIfItsContainerHadEndedOrTheServerFences(t *testing.T) {
	for name, test := range map[string]struct {
		happens       func(*place)
		plain, fenced bool
	}{
		"deleted while it ran": {func(p *place) { p.create("uid-1", running(-5)); p.follow(); p.remove() }, false, true},
		"deleted once it had ended": {func(p *place) {
			p.create("uid-1", running(-5))
			p.follow()
			p.report(terminated(9))
			p.remove()
		}, true, true},
		"another pod has its name": {func(p *place) {
			p.create("uid-1", running(-5))
			p.follow()
			p.remove()
			p.create("uid-2", running(20))
		}, false, true},
		"another pod of its name ended": {func(p *place) { p.create("uid-2", terminated(9)); p.follow() }, false, false},
		"never seen":                    {func(p *place) { p.follow() }, false, false},
		"another deleted, never seen itself": {func(p *place) {
			p.create("uid-2", running(-5))
			p.follow()
			p.remove()
		}, false, false},
	} {
		for _, fenced := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t, fenced)
				test.happens(p)
				want := test.plain
				if fenced {
					want = test.fenced
				}
				if how := p.ended(); (how != "") != want {
					t.Errorf("%s, with the fence: %v: it is known that %q", name, fenced, how)
				}
				endAll(p)
			})
		}
	}
}

// endAll ends the watches of the followers of which a test has not kept stop.
func endAll(p *place) {
	for _, w := range p.witness.watches {
		w.end(p.Context())
	}
}

func TestC32APodThatManyFollowIsWatchedOnceAndNothingIsLeftOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, false)
		p.create("uid-1", running(-5))
		var stops []func()
		for range 16 {
			stops = append(stops, p.follow())
		}
		watches := 0
		for _, action := range p.client.Actions() {
			if action.Matches("watch", "pods") {
				watches++
			}
		}
		if watches != 1 {
			t.Errorf("it is watched %d times", watches)
		}
		for _, stop := range stops[1:] {
			stop()
			stop()
		}
		p.report(terminated(9))
		if p.ended() == "" {
			t.Error("the watch has ended while one still follows")
		}
		stops[0]()
		stops[0]()
		if p.ended() != "" || len(p.witness.watches) != 0 {
			t.Error("something is left of the watch")
		}
	}) // which fails if a goroutine is left
}

func TestC32AMissingPermissionIsToldOnceAndNothingIsProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, true)
		p.create("uid-1", terminated(9))
		for _, verb := range []string{"list", "watch"} {
			p.client.PrependReactor(verb, "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(corev1.Resource("pods"), "", nil)
			})
		}
		p.client.PrependWatchReactor("pods", clienttesting.DefaultWatchReactor(nil, apierrors.NewForbidden(corev1.Resource("pods"), "", nil)))
		var log bytes.Buffer
		ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(&log, nil)))
		for range 2 {
			stop := p.witness.Follow(ctx, manager(), func() {})
			time.Sleep(10 * time.Minute)
			if how := p.ended(); how != "" {
				t.Errorf("it is known that %s", how)
			}
			stop()
		}
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 1 ||
			!strings.Contains(lines[0], "level=INFO") || !strings.Contains(lines[0], "grant get, list and watch on pods") {
			t.Errorf("the log is\n%s", log.String())
		}
	})
}

func TestC32TheLastStatusOfADeletedPodStands(t *testing.T) {
	for name, event := range map[string]func(pod *corev1.Pod) any{
		"seen":   func(pod *corev1.Pod) any { return pod },
		"missed": func(pod *corev1.Pod) any { return cache.DeletedFinalStateUnknown{Key: "shop/shop-0", Obj: pod} },
	} {
		w := newWatch(podOf(manager()))
		pod := withStatus("manager", running(-5), corev1.ContainerState{})
		pod.UID = "uid-1"
		w.seen(pod)
		last := withStatus("manager", terminated(9), corev1.ContainerState{})
		last.UID = "uid-1"
		w.deleted(event(last))
		if got, gone := w.known(); got != last || !gone {
			t.Errorf("%s: last %v, gone %v", name, got, gone)
		}
		another := last.DeepCopy()
		another.UID = "uid-2"
		w.deleted(event(another))
		if got, _ := w.known(); got != last {
			t.Errorf("%s: the deletion of another pod is taken for it", name)
		}
	}
}

func TestC32ADeletionThatTheWatchHasMissedIsSeenByTheNextList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(podOf(manager()))
		pod := withStatus("manager", running(-5), corev1.ContainerState{})
		pod.UID = "uid-1"
		w.seen(pod)
		next := pod.DeepCopy()
		next.UID = "uid-2"
		w.seen(next) // an informer says that it was changed
		if last, gone := w.known(); last != pod || !gone {
			t.Errorf("last %v, gone %v", last, gone)
		}
		w.seen(pod)
		if _, gone := w.known(); gone {
			t.Error("it is there, and taken for gone")
		}
	})
}
