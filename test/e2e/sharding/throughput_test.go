// SPDX-License-Identifier: Apache-2.0

package sharding_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
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
	whole, shares := recorded{Workload: "shards", Program: "whole caches"}, recorded{Workload: "shards", Program: "caches of a share"}
	for _, count := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprintf("%d replicas", count), func(t *testing.T) { whole.add(count, manyReplicas(t, count, false)) })
		t.Run(fmt.Sprintf("%d replicas with their share", count), func(t *testing.T) { shares.add(count, manyReplicas(t, count, true)) })
	}
	if *record == "" {
		return
	}
	file, err := os.Create(*record)
	if err == nil {
		lines := json.NewEncoder(file)
		err = errors.Join(lines.Encode(whole), lines.Encode(shares), file.Close())
	}
	if err != nil {
		t.Error(err)
	}
}

// recorded is a result as test/bench has it, which draws it.
type recorded struct {
	Workload string   `json:"workload"`
	Program  string   `json:"program"`
	Series   []series `json:"series"`
}

type series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

func (r *recorded) add(replicas int, values map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(r.Series, func(s series) bool { return s.Name == name })
		if i < 0 {
			i = len(r.Series)
			r.Series = append(r.Series, series{Name: name})
		}
		r.Series[i].X = append(r.Series[i].X, float64(replicas))
		r.Series[i].Y = append(r.Series[i].Y, values[name])
	}
}

// manyReplicas returns what it has measured, by name.
func manyReplicas(t *testing.T, count int, share bool) map[string]float64 {
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
	burst := w.awaitAll(t)
	if len(burst.writers) != count {
		t.Errorf("the replicas that have worked are %v", burst.writers)
	}
	took := burst.last.Sub(began)
	w.askSteadily(t, *steady)
	single := w.awaitAll(t)
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
	t.Logf("%d replicas: %d objects in %v (to ask took %v), %.0f a second; then, with %d changes a second, p50 %v, p99 %v from change to write; "+
		"at most %d MB each; on average %d objects in the cache, and %.1f MB received",
		count, *scale, took.Round(10*time.Millisecond), asked.Round(10*time.Millisecond), float64(*scale)/took.Seconds(),
		rate, single.wait(50), single.wait(99), memory, held/count, float64(received)/float64(count)/1e6)
	return map[string]float64{
		"objects a second": float64(*scale) / took.Seconds(), "MB resident, of the largest": float64(memory),
		"MB received, of each": float64(received) / float64(count) / 1e6, "ms from change to write, p99": float64(single.wait(99).Milliseconds()),
	}
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
	return w.forAll(w.askFor)
}

// askFor asks for a change of an object, and says when.
func (w *world) askFor(namespace, name string) error {
	return w.patch(w.t.Context(), namespace, name, fmt.Appendf(nil, `{"data":{"want":"%d"},"metadata":{"annotations":{"asked":%q}}}`,
		w.number, time.Now().UTC().Format(time.RFC3339Nano)))
}

// rate is how many changes a second are asked for, a little less than one replica can do.
const rate = 25

// askSteadily asks for changes of one object after the other, for a time.
func (w *world) askSteadily(t *testing.T, during time.Duration) {
	w.number++
	changes := time.NewTicker(time.Second / rate)
	defer changes.Stop()
	for i := range min(int(during.Seconds()*rate), w.each*namespaces) {
		<-changes.C
		if err := w.askFor(fmt.Sprintf("%s-%d", w.prefix, i%namespaces), fmt.Sprint("cm", i/namespaces)); err != nil {
			t.Fatal(err)
		}
	}
}

// written is what the objects say of their last writes.
type written struct {
	writers map[string]int
	last    time.Time
	waits   []time.Duration // from the newest change to its write, of the objects of that change; in order
}

// wait returns a percentile.
func (w *written) wait(percent int) time.Duration {
	if len(w.waits) == 0 {
		return 0
	}
	return w.waits[(len(w.waits)-1)*percent/100].Round(time.Millisecond)
}

// awaitAll waits until every object has what was asked for. It does not look often: that costs as much as the work.
func (w *world) awaitAll(t *testing.T) *written {
	for w.open() != nil {
		select {
		case <-time.After(time.Duration(*scale) * 200 * time.Microsecond):
		case <-t.Context().Done():
			t.Fatal("not all is done")
		}
	}
	list, err := w.client.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{LabelSelector: "sharding-test=" + w.prefix})
	if err != nil {
		t.Fatal(err)
	}
	all := &written{writers: map[string]int{}}
	for i := range list.Items {
		cm := &list.Items[i]
		all.writers[cm.Annotations["by"]]++
		asked, errAsked := time.Parse(time.RFC3339Nano, cm.Annotations["asked"])
		at, errWritten := time.Parse(time.RFC3339Nano, cm.Annotations["written"])
		if errAsked != nil || errWritten != nil {
			t.Fatalf("%s/%s was asked for at %q and written at %q", cm.Namespace, cm.Name, cm.Annotations["asked"], cm.Annotations["written"])
		}
		if at.After(all.last) {
			all.last = at
		}
		if cm.Data["want"] == strconv.Itoa(w.number) {
			all.waits = append(all.waits, at.Sub(asked))
		}
	}
	slices.Sort(all.waits)
	return all
}

// memory returns the resident memory of a replica, in megabytes.
func (p *process) memory(t *testing.T) int {
	megabytes, err := processes.ResidentMemory(p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return megabytes
}
