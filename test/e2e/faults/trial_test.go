// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/wire"
)

// run runs a program until ctx ends.
type run func(ctx context.Context, config *rest.Config, p *program) error

// program is what a framework is to run.
type program struct {
	namespace string
	workers   int
	reconcile reconcile
}

// trial is a program beside an API server whose watches lag.
type trial struct {
	namespace string
	kube      kubernetes.Interface // not through the proxy
	wardle    versioned.Interface
	wire      *wire.Wire

	mu       sync.Mutex
	touched  map[string]string // the last touch that each parent was reconciled with
	last     time.Time         // when a reconcile has ended the last time
	effects  map[string]int    // elsewhere, by parent
	lost     int               // the number of answers to creates that still get lost
	deletes  map[string]int    // that the API server has applied, by child
	statuses []*wardlev1beta1.Flunder
}

// labelTouch is a label that is changed to trigger a reconcile. Nothing is done for a parent without it.
const labelTouch = "touch"

// newTrial makes a trial in which so many answers to creates of children get lost.
func newTrial(t *testing.T, lost int) *trial {
	t.Helper()
	config := plane.Config()
	config.QPS = -1
	r := &trial{
		namespace: suite.Namespace(t, plane, "faults-"), wire: wire.Lagging(lag),
		kube: kubernetes.NewForConfigOrDie(config), wardle: versioned.NewForConfigOrDie(config),
		lost: lost, touched: map[string]string{}, effects: map[string]int{}, deletes: map[string]int{},
	}
	children := "/namespaces/" + r.namespace + "/configmaps"
	r.wire.Answered = func(req *http.Request, resp *http.Response) {
		if req.Method == http.MethodDelete && resp.StatusCode == http.StatusOK && strings.Contains(req.URL.Path, children) {
			r.count(r.deletes, path.Base(req.URL.Path))
		}
	}
	r.wire.Cut = func(req *http.Request) bool {
		if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, children) {
			return false
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost--
		return r.lost >= 0
	}
	return r
}

func (r *trial) count(counts map[string]int, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts[name]++
}

// effect is what a reconcile does elsewhere.
func (r *trial) effect(parent string) { r.count(r.effects, parent) }

// noted is a reconcile that is noted.
func (r *trial) noted(reconcile reconcile) reconcile {
	return func(ctx context.Context, a access, parent *wardlev1beta1.Flunder) error {
		var err error
		touch := parent.Labels[labelTouch]
		if touch != "" {
			err = reconcile(ctx, a, parent)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.last = time.Now()
		if err == nil {
			r.touched[parent.Name] = touch
		}
		return err
	}
}

func (r *trial) names() []string {
	var all []string
	for i := range *objects {
		all = append(all, fmt.Sprint("p", i))
	}
	return all
}

// each does something for each parent, some at a time.
func (r *trial) each(t *testing.T, f func(ctx context.Context, name string) error) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(20)
	for _, name := range r.names() {
		group.Go(func() error { return f(ctx, name) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// create makes the parents, and children of an older image if asked for.
func (r *trial) create(t *testing.T, children bool) {
	t.Helper()
	r.each(t, func(ctx context.Context, name string) error {
		parent := &wardlev1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: wardlev1beta1.FlunderSpec{Image: "new"}}
		parent, err := r.wardle.WardleV1beta1().Flunders(r.namespace).Create(ctx, parent, metav1.CreateOptions{})
		if err != nil || !children {
			return err
		}
		child := childOf(parent)
		child.Name = name
		child.Data = map[string]string{"image": "old"}
		_, err = r.kube.CoreV1().ConfigMaps(r.namespace).Create(ctx, child, metav1.CreateOptions{})
		return err
	})
}

// touch changes a label of each parent, to one value soon after another: all of them while the first change is on
// its way.
func (r *trial) touch(t *testing.T, values ...string) {
	t.Helper()
	r.each(t, func(ctx context.Context, name string) error {
		for i, value := range values {
			if i > 0 {
				time.Sleep(lag / 10)
			}
			patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, labelTouch, value)
			_, err := r.wardle.WardleV1beta1().Flunders(r.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// longest is for how long a program is waited for that does not come to rest.
const longest = 10 * lag

// run runs a program: it starts, then each parent is touched some times, and what follows is waited for. It
// reports whether the program has come to rest.
func (r *trial) run(t *testing.T, run run, reconcile reconcile) (rests bool) {
	t.Helper()
	stopWatch := r.watch(t)
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	defer end()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, r.wire.Proxy(t, plane.Config()), &program{namespace: r.namespace, workers: 4, reconcile: r.noted(reconcile)})
	}()
	r.await(t, "")
	r.touch(t, "1", "2", "3", "4")
	r.await(t, "4")
	rests = wait.PollUntilContextTimeout(t.Context(), lag/20, longest, true, func(context.Context) (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return time.Since(r.last) > 2*lag, nil
	}) == nil
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	stopWatch()
	return rests
}

// await waits until each parent was reconciled with a touch.
func (r *trial) await(t *testing.T, touch string) {
	t.Helper()
	suite.Eventually(t, "all parents are reconciled", func() error {
		r.mu.Lock()
		touched := maps.Clone(r.touched)
		r.mu.Unlock()
		for _, name := range r.names() {
			if last, ok := touched[name]; !ok || last != touch {
				return fmt.Errorf("%s with %q, not %q", name, last, touch)
			}
		}
		return nil
	})
}

// watch notes each state of the parents, without lag. stop returns when it has seen all.
func (r *trial) watch(t *testing.T) (stop func()) {
	t.Helper()
	flunders := r.wardle.WardleV1beta1().Flunders(r.namespace)
	list, err := flunders.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	events, err := flunders.Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	var notes sync.WaitGroup
	notes.Go(func() {
		for event := range events.ResultChan() {
			if parent, ok := event.Object.(*wardlev1beta1.Flunder); ok {
				r.mu.Lock()
				r.statuses = append(r.statuses, parent)
				r.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		events.Stop()
		notes.Wait()
	})
	return func() {
		r.touch(t, "end")
		suite.Eventually(t, "all states are seen", func() error {
			r.mu.Lock()
			defer r.mu.Unlock()
			seen := 0
			for _, parent := range r.statuses {
				if parent.Labels[labelTouch] == "end" {
					seen++
				}
			}
			if seen < *objects {
				return fmt.Errorf("%d of %d", seen, *objects)
			}
			return nil
		})
	}
}

// made returns how many children each parent has on the API server.
func (r *trial) made(t *testing.T) map[string]int {
	t.Helper()
	list, err := r.kube.CoreV1().ConfigMaps(r.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: labelOf})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]int{}
	for i := range list.Items {
		made[list.Items[i].Labels[labelOf]]++
	}
	return made
}

// fell returns how often the status of each parent has gone backwards.
func (r *trial) fell() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, fell := map[string]int32{}, map[string]int{}
	for _, parent := range r.statuses {
		if parent.Status.Replicas < before[parent.Name] {
			fell[parent.Name]++
		}
		before[parent.Name] = parent.Status.Replicas
	}
	return fell
}
