// SPDX-License-Identifier: Apache-2.0

package sharding_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	processes "github.com/lanyard-k8s/lanyard/test/e2e/internal/process"
)

// TestC31MoreReplicasDoMore has all objects reconciled once by one, two, four and eight replicas, whose caches hold
// everything or their share. Each reconcile waits for a tenth of a second, and each replica has four workers, so that
// these are the limit and not the machine. It prints a table; docs/sharding.md has one of -scale 5000.
func TestC31MoreReplicasDoMore(t *testing.T) {
	for _, count := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprintf("%d replicas", count), func(t *testing.T) { manyReplicas(t, count, false) })
		t.Run(fmt.Sprintf("%d replicas with their share", count), func(t *testing.T) { manyReplicas(t, count, true) })
	}
}

func manyReplicas(t *testing.T, count int, share bool) {
	w := newWorld(t, fmt.Sprintf("many%d%t", count, share), max(1, *scale/namespaces))
	var replicas []*process
	for i := range count {
		replicas = append(replicas, start(t, w.leases, fmt.Sprintf("many%d-%d", count, i), "-objects", w.prefix,
			"-workers", "4", "-took", "100ms", fmt.Sprintf("-share=%t", share)))
	}
	eventually(t, "all slots are served", func() error { return w.served(replicas) })
	began := time.Now()
	if err := w.askAll(); err != nil {
		t.Fatal(err)
	}
	asked := time.Since(began)
	eventually(t, "all is done", w.open)
	took := time.Since(began)
	if workers, err := w.workers(); err != nil || len(workers) != count {
		t.Errorf("the replicas that have worked are %v (%v)", workers, err)
	}
	memory := 0
	for _, p := range replicas {
		memory = max(memory, p.memory(t))
	}
	held, received := 0, 0
	for _, p := range replicas {
		objects, bytes := p.cached(t)
		held += objects
		received += bytes
	}
	for _, p := range replicas {
		p.leave()
	}
	if all := w.each * namespaces; share && held != all || !share && held != count*all {
		t.Errorf("%d replicas hold %d objects together, and there are %d", count, held, all)
	}
	t.Logf("%d replicas: %d objects in %v (to ask took %v), %.0f a second, at most %d MB each; on average %d objects in the cache, and %.1f MB received",
		count, *scale, took.Round(10*time.Millisecond), asked.Round(10*time.Millisecond), float64(*scale)/took.Seconds(),
		memory, held/count, float64(received)/float64(count)/1e6)
}

// cached returns how many objects a replica has in its cache, and what it has received.
func (p *process) cached(t *testing.T) (objects, bytes int) {
	p.signal(syscall.SIGUSR1)
	eventually(t, p.identity+" says what it holds", func() error {
		log := p.log.String()
		_, err := fmt.Sscanf(log[max(0, strings.LastIndex(log, "holds ")):], "holds %d objects, received %d bytes\n", &objects, &bytes)
		return err
	})
	return objects, bytes
}

// askAll asks for a change of each object.
func (w *world) askAll() error {
	w.number++
	patch := fmt.Appendf(nil, `{"data":{"want":"%d"}}`, w.number)
	return w.forAll(func(namespace, name string) error { return w.patch(w.t.Context(), namespace, name, patch) })
}

// workers returns how many objects each replica has written last.
func (w *world) workers() (map[string]int, error) {
	list, err := w.client.CoreV1().ConfigMaps("").List(w.t.Context(), metav1.ListOptions{LabelSelector: "sharding-test=" + w.prefix})
	if err != nil {
		return nil, err
	}
	workers := map[string]int{}
	for i := range list.Items {
		workers[list.Items[i].Annotations["by"]]++
	}
	return workers, nil
}

// memory returns the resident memory of a replica, in megabytes.
func (p *process) memory(t *testing.T) int {
	megabytes, err := processes.ResidentMemory(p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return megabytes
}
