// SPDX-License-Identifier: Apache-2.0

package clientgo_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
)

// A handler gets the same kind of update for a resync and for an object of another list.
func TestOnlyAResyncPassesTheObjectOfTheCacheTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := fcache.NewFakeControllerSource()
		defer source.Shutdown()
		source.Add(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "x"}})
		api := &unstreamed{FakeControllerSource: source}
		shared := cache.NewSharedIndexInformer(api, &corev1.ConfigMap{}, time.Hour, cache.Indexers{})
		var mu sync.Mutex
		resyncs, relists := 0, 0
		_, err := shared.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
			mu.Lock()
			defer mu.Unlock()
			old, now := before.(*corev1.ConfigMap), after.(*corev1.ConfigMap)
			switch {
			case clientgo.Relisted(old, now):
				relists++
			case old == now:
				resyncs++
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		// client-go's own would sleep by the difference of virtual and real time.
		if err := shared.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { shared.RunWithContext(ctx) })
		time.Sleep(time.Minute)
		api.refuse.Store(1) // the next watch, so that it lists anew
		source.ResetWatch()
		time.Sleep(2 * time.Minute)
		mu.Lock()
		if relists != 1 || resyncs != 0 {
			t.Errorf("after another list: %d relists, %d resyncs", relists, resyncs)
		}
		mu.Unlock()
		time.Sleep(2 * time.Hour)
		mu.Lock()
		if relists != 1 || resyncs == 0 {
			t.Errorf("after two hours: %d relists, %d resyncs", relists, resyncs)
		}
		mu.Unlock()
		cancel()
		running.Wait()
	})
}

// unstreamed is a source that cannot stream a list, and may refuse watches.
type unstreamed struct {
	*fcache.FakeControllerSource
	refuse atomic.Int32
}

func (u *unstreamed) Watch(options metav1.ListOptions) (watch.Interface, error) {
	if u.refuse.Add(-1) >= 0 {
		return nil, errors.New("refused")
	}
	return u.FakeControllerSource.Watch(options)
}

func (*unstreamed) IsWatchListSemanticsUnSupported() bool { return true }
