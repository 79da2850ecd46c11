// SPDX-License-Identifier: Apache-2.0

package sharding_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// namespaces is how many the objects are in.
const namespaces = 40

// world is objects that somebody changes all the time, and what replicas have written into them.
type world struct {
	t      *testing.T
	client kubernetes.Interface
	prefix string // of the namespaces
	leases string // the namespace of the Leases
	each   int    // the number of objects in a namespace
	number int

	mu      sync.Mutex
	newest  map[string]int    // the newest term of each slot in which somebody wrote
	writers map[string]string // who wrote in it
	writes  map[string]int    // by replica
}

func newWorld(t *testing.T, prefix string, each int) *world {
	w := &world{t: t, client: client(), prefix: prefix, leases: prefix + "-leases", each: each, newest: map[string]int{}, writers: map[string]string{}, writes: map[string]int{}}
	var g errgroup.Group
	g.SetLimit(8)
	for n := range namespaces {
		g.Go(func() error { return w.fill(fmt.Sprintf("%s-%d", prefix, n)) })
	}
	if err := errors.Join(g.Wait(), w.makeNamespace(w.leases)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) makeNamespace(name string) error {
	_, err := w.client.CoreV1().Namespaces().Create(w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return err
}

func (w *world) fill(namespace string) error {
	if err := w.makeNamespace(namespace); err != nil {
		return err
	}
	for i := range w.each {
		_, err := w.client.CoreV1().ConfigMaps(namespace).Create(w.t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("cm", i), Labels: map[string]string{"sharding-test": w.prefix}},
			Data:       map[string]string{"want": "0", "rest": strings.Repeat("x", *size)},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
	}
	return nil
}

// follow checks each write in the API server's order, until ctx ends: when somebody has written in a term of a
// slot, nobody writes in an earlier one any more.
func (w *world) follow(ctx context.Context) {
	version := ""
	for ctx.Err() == nil {
		if version == "" {
			list, err := w.client.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{LabelSelector: "sharding-test=" + w.prefix})
			if err != nil {
				return
			}
			version = list.ResourceVersion
		}
		watching, err := w.client.CoreV1().ConfigMaps("").Watch(ctx, metav1.ListOptions{LabelSelector: "sharding-test=" + w.prefix, ResourceVersion: version})
		if err != nil {
			return
		}
		for event := range watching.ResultChan() {
			cm, ok := event.Object.(*corev1.ConfigMap)
			if !ok || event.Type != watch.Modified {
				continue
			}
			version = cm.ResourceVersion
			w.check(cm)
		}
	}
}

func (w *world) check(cm *corev1.ConfigMap) {
	lease, by := cm.Annotations["lease"], cm.Annotations["by"]
	term, err := strconv.Atoi(cm.Annotations["term"])
	if err != nil || cm.Data["done"] != cm.Data["want"] {
		return // somebody has asked for something
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes[by]++
	switch {
	case term < w.newest[lease]:
		w.t.Errorf("%s wrote %s/%s in term %d of %s, after %s had written in term %d", by, cm.Namespace, cm.Name, term, lease, w.writers[lease], w.newest[lease])
	case term == w.newest[lease] && w.writers[lease] != by:
		w.t.Errorf("%s and %s wrote in term %d of %s", by, w.writers[lease], term, lease)
	}
	w.newest[lease] = term
	w.writers[lease] = by
}

// ask asks for a change of some object.
func (w *world) ask(ctx context.Context) error {
	w.number++
	namespace, name := fmt.Sprintf("%s-%d", w.prefix, rand.IntN(namespaces)), fmt.Sprint("cm", rand.IntN(w.each))
	patch := fmt.Sprintf(`{"data":{"want":"%d"}}`, w.number)
	return w.patch(ctx, namespace, name, []byte(patch))
}

func (w *world) patch(ctx context.Context, namespace, name string, patch []byte) error {
	_, err := w.client.CoreV1().ConfigMaps(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// forAll calls f for each object, for some at a time.
func (w *world) forAll(f func(namespace, name string) error) error {
	var g errgroup.Group
	g.SetLimit(16)
	for n := range namespaces {
		for i := range w.each {
			g.Go(func() error { return f(fmt.Sprintf("%s-%d", w.prefix, n), fmt.Sprint("cm", i)) })
		}
	}
	return g.Wait()
}

// open returns how many objects wait for what was asked for.
func (w *world) open() error {
	list, err := w.client.CoreV1().ConfigMaps("").List(w.t.Context(), metav1.ListOptions{LabelSelector: "sharding-test=" + w.prefix})
	if err != nil {
		return err
	}
	left := 0
	for i := range list.Items {
		if cm := &list.Items[i]; cm.Data["done"] != cm.Data["want"] {
			left++
		}
	}
	if left > 0 {
		return fmt.Errorf("%d objects wait", left)
	}
	return nil
}

// served returns an error unless each slot has a holder that is among the replicas.
func (w *world) served(replicas []*process) error {
	list, err := w.client.CoordinationV1().Leases(w.leases).List(w.t.Context(), metav1.ListOptions{LabelSelector: "lanyard-k8s.github.io/sharding-kind=slot"})
	if err != nil {
		return err
	}
	holders := map[string]int{}
	for i := range list.Items {
		holders[ptr.Deref(list.Items[i].Spec.HolderIdentity, "")]++
	}
	served := 0
	for _, p := range replicas {
		if holders[p.identity] == 0 {
			return fmt.Errorf("%s has no slot: %v", p.identity, holders)
		}
		served += holders[p.identity]
	}
	if served != 64 {
		return fmt.Errorf("the slots are held by %v", holders)
	}
	return nil
}

func TestC31NoObjectIsInTwoHandsWhateverBecomesOfTheReplicas(t *testing.T) {
	w := newWorld(t, "tenant", 10)
	ctx, end := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	defer parts.Wait()
	defer end()
	parts.Go(func() { w.follow(ctx) })
	var replicas []*process
	started := 0
	join := func() {
		started++
		replicas = append(replicas, start(t, w.leases, fmt.Sprintf("r%d", started), "-objects", w.prefix))
	}
	take := func() *process {
		i := rand.IntN(len(replicas))
		p := replicas[i]
		replicas = append(replicas[:i:i], replicas[i+1:]...)
		return p
	}
	settle := func(what string) {
		t.Helper()
		began := time.Now()
		eventually(t, "all slots are served after "+what, func() error { return w.served(replicas) })
		t.Logf("%s: all slots are served after %v", what, time.Since(began).Round(time.Millisecond))
	}
	asking, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	for range 3 {
		join()
	}
	settle("the start of three")
	parts.Go(func() {
		for asking.Err() == nil {
			if err := w.ask(asking); err != nil && asking.Err() == nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	for range *moves {
		join()
		settle("a fourth has joined")
		take().leave()
		settle("one has left")
		take().signal(syscall.SIGKILL)
		settle("one was killed")
		join()
		settle("another has come")
		still := replicas[rand.IntN(len(replicas))]
		still.signal(syscall.SIGSTOP)
		time.Sleep(6 * time.Second) // longer than its Lease
		still.signal(syscall.SIGCONT)
		settle("one has stood still")
	}
	stopAsking()
	eventually(t, "all that was asked for is done", w.open)
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d changes were asked for; writes by replica: %v", w.number, w.writes)
	if len(w.writes) < 3 {
		t.Errorf("only %d replicas have written", len(w.writes))
	}
}
