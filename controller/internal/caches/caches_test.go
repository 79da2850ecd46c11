// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

func newTestCache() *Cache {
	return newCache(cache.NewSharedIndexInformer(&cache.ListWatch{}, &corev1.ConfigMap{}, 0, cache.Indexers{}),
		"ConfigMap")
}

func TestACacheThatIsNotFullBecauseOfItsTransformSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		c.transformer.busy.Begin("transform", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}})
		time.Sleep(3 * time.Second)
		if err := c.SyncError(); !strings.Contains(err.Error(), "a transform has been running for 3s on object x") {
			t.Error(err)
		}
		c.transformer.busy.End()
		if err := c.SyncError(); !strings.Contains(err.Error(), "has not answered its list yet") {
			t.Error(err)
		}
	})
}

func TestAnOutageIsWhatTheTransportKnowsOfTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, streams := newTestCache(), (*work.Streams)(nil)
		streams = c.unit.Streams
		want := func(what string, broken time.Duration) {
			t.Helper()
			if got := c.FailingFor(time.Now()); got != broken {
				t.Errorf("%s: failing for %v, want %v", what, got, broken)
			}
		}
		streams.Opened("p", "configmaps")
		time.Sleep(5 * time.Minute)
		want("a watch is open", 0)
		streams.Closed("p")
		streams.Opened("p", "configmaps")
		if err := c.Broken(time.Now()); err != nil {
			t.Errorf("the routine end of a watch: %v", err)
		}
		time.Sleep(time.Minute)
		want("it is open again", 0)
		streams.Closed("p")
		for range 10 { // it breaks again and again
			time.Sleep(time.Second)
			streams.Failed("p", "configmaps", errors.New("refused"))
			streams.Opened("p", "configmaps")
			time.Sleep(time.Second)
			streams.Closed("p")
		}
		want("a watch that breaks", 20*time.Second)
		if err := c.Broken(time.Now()); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Error(err)
		}
		if n := c.Errors(time.Now())[ListOrWatch]; n != 10 {
			t.Errorf("%d errors", n)
		}
		streams.Opened("p", "configmaps")
		time.Sleep(5 * time.Second)
		want("it stays open", 0)
		streams.Closed("p")
		time.Sleep(time.Hour)
		want("a server that never answers", time.Hour)
		if err := c.Broken(time.Now()); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Error(err)
		}
	})
}

func TestVersionsThatRunBackwardsAreToldOnce(t *testing.T) {
	v := &versions{}
	var told []string
	at := func(current string, r work.Rewind) {
		if from, to, yes := v.rewound(current, r); yes {
			told = append(told, from+">"+to)
		}
	}
	none, first := work.Rewind{}, work.Rewind{From: "12", To: "5", Count: 1}
	for _, step := range []struct {
		current string
		rewind  work.Rewind
	}{
		{"", none}, {"9", none}, {"10", none}, {"10", none}, {"x", none},
		{"10", first}, {"12", first}, {"12", first}, // noticed by the transport, the cache follows:
		{"5", first}, {"6", first},
		{"3", first}, // listed anew by itself
		{"4", first},
	} {
		at(step.current, step.rewind)
	}
	if got := fmt.Sprint(told); got != "[12>5 6>3]" {
		t.Error(got)
	}
}

func TestAVersionThatNobodyLookedAtCounts(t *testing.T) {
	v := &versions{}
	v.observe("")
	v.observe("12")
	v.observe("12")
	if from, to, yes := v.rewound("5", work.Rewind{}); !yes || from != "12" || to != "5" {
		t.Error(from, to, yes)
	}
	v.observe("5")
	if _, _, yes := v.rewound("5", work.Rewind{}); yes {
		t.Error("told again")
	}
}

func TestAMessageIsToldAgainAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Again
		told := 0
		for range 150 {
			if due, _ := a.Due("m", time.Now()); due {
				told++
			}
			time.Sleep(time.Second)
		}
		if told != 3 {
			t.Errorf("told %d times", told)
		}
		for i := range 10 * maxMessages {
			a.Due(fmt.Sprint(i), time.Now())
		}
		if len(a.told) > maxMessages+1 {
			t.Errorf("%d messages are remembered", len(a.told))
		}
	})
}

func TestAMessageThatGoesOnIsToldOnceAMinute(t *testing.T) {
	var again Again
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := func(message string, due bool, missed int) {
		t.Helper()
		if d, m := again.Due(message, now); d != due || m != missed {
			t.Errorf("%s is due: %t, after %d that were missed; want %t, %d", message, d, m, due, missed)
		}
	}
	want("a", true, 0)
	now = now.Add(30 * time.Second)
	want("a", false, 0)
	want("a", false, 0)
	want("b", true, 0)
	now = now.Add(30 * time.Second)
	want("a", true, 2)
	want("b", false, 0)
	now = now.Add(time.Minute)
	want("a", true, 0)
	want("b", true, 1)
	for i := range maxMessages {
		again.Due(fmt.Sprint(i), now)
	}
	want("one too many", false, 0)
	want("a", false, 0)
	if len(again.told) > maxMessages+1 {
		t.Errorf("%d messages are remembered", len(again.told))
	}
}

func TestTheKindOfACacheThatHasEndedIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestCache()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.objects.run(ctx, c.SharedIndexInformer); err != nil {
			t.Error(err)
		}
		c.objects.known() // the end of the test tells if it hangs
	})
}

func TestVersionsThatRunBackwardsAreCountedOnce(t *testing.T) {
	c := newTestCache()
	ctx := klog.NewContext(t.Context(), logr.Discard())
	checkVersion(ctx, c)
	c.unit.Streams.Rewound("200", "100")
	checkVersion(ctx, c)
	checkVersion(ctx, c)
	if n := c.Errors(time.Now())[Rewound]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestAChangeInPlaceIsFoundOnceUntilThereIsAnother(t *testing.T) {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a"}}
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	if err := store.Add(object); err != nil {
		t.Fatal(err)
	}
	m := &mutations{}
	m.note("informer", object)
	for changes := range 3 {
		if changes > 0 {
			object.Data = map[string]string{"changed": fmt.Sprint(changes)}
		}
		for range 2 {
			found := ""
			if err := m.check("informer", store, time.Now()); err != nil {
				found = err.Error()
			}
			if n := strings.Count(found, "the object n/a in the cache was changed in place"); n != changes {
				t.Errorf("after %d changes, %d are found:\n%s", changes, n, found)
			}
		}
	}
}
