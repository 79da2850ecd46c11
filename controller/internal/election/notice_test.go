// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

// TestC13ALeaseThatAnotherHasFreedIsTakenWhenItsHolderKnows frees a held lease in different ways. Only a release
// says that its holder has stopped.
func TestC13ALeaseThatAnotherHasFreedIsTakenWhenItsHolderKnows(t *testing.T) {
	for name, test := range map[string]struct {
		free  func(*store)
		waits bool
	}{
		"emptied":  {func(s *store) { s.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") }) }, true},
		"deleted":  {(*store).remove, true},
		"released": {func(s *store) { s.edit(Vacate) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took := freeAndFollow(t, test.free)
				if waits := took >= notice; waits != test.waits || took > 2*notice {
					t.Errorf("the next leader came after %v", took)
				}
			})
		})
	}
}

// freeAndFollow is how long it takes from the moment in which a held lease is free until another leads.
func freeAndFollow(t *testing.T, free func(*store)) time.Duration {
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	store := newStore()
	led := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var done [2]chan struct{}
	for i := range led {
		process := &process{number: i, rate: 1, start: time.Now()}
		config := configFor(i, &network{
			store: store, process: process, scale: time.Millisecond, rand: rand.New(rand.NewPCG(1, uint64(i))),
		})
		config.Clock = process.clock
		done[i] = make(chan struct{})
		go func() { defer close(done[i]); runOurs(ctx, config, func() { close(led[i]) }) }()
		time.Sleep(time.Second) // the first leads
	}
	<-led[0]
	freed := time.Now()
	free(store)
	<-led[1]
	took := time.Since(freed)
	end()
	<-done[0]
	<-done[1]
	time.Sleep(time.Minute)
	return took
}
