// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestC16ACrashedLeaderIsFollowedNotLaterThanWithClientGo has the same crashes with client-go
// alone.
func TestC16ACrashedLeaderIsFollowedNotLaterThanWithClientGo(t *testing.T) {
	const crashes = 60
	var ours, theirs time.Duration
	for n := range crashes {
		synctest.Test(t, func(t *testing.T) { ours += crashAndFollow(t, uint64(n), runOurs) })
		synctest.Test(t, func(t *testing.T) { theirs += crashAndFollow(t, uint64(n), runTheirs) })
	}
	t.Logf(
		"mean time from the crash to the next leader: %v, with client-go alone: %v",
		ours/crashes,
		theirs/crashes,
	)
	if ours > theirs+theirs/20 { // client-go's jitter is not ours to seed
		t.Errorf("it takes %v, with client-go alone %v", ours/crashes, theirs/crashes)
	}
}

type runs func(ctx context.Context, config Config, leads func())

func runOurs(ctx context.Context, config Config, leads func()) {
	c := New(config)
	watched := make(chan struct{})
	go func() { defer close(watched); _ = c.WatchLease(ctx) }()
	if renewal, err := c.Campaign(ctx); err == nil {
		leads()
		<-ctx.Done()
		renewal.Abandon()
	}
	<-watched
}

func runTheirs(ctx context.Context, config Config, leads func()) {
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metaOf(config.Lease),
			Client:     config.Client,
			LockConfig: resourcelock.ResourceLockConfig{Identity: config.Identity},
		},
		LeaseDuration: config.LeaseDuration, RenewDeadline: config.RenewDeadline,
		RetryPeriod: config.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { leads() },
			OnStoppedLeading: func() {},
		},
	})
}

// crashAndFollow is how long it takes from a leader's crash until another leads.
func crashAndFollow(t *testing.T, seed uint64, run runs) time.Duration {
	ctx, end := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	chance, store := rand.New(rand.NewPCG(seed, 3)), newStore()
	led := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var processes [2]*process
	var done [2]chan struct{}
	for i := range led {
		processes[i] = &process{number: i, rate: 1, start: time.Now()}
		config := configFor(i, &network{
			store: store, process: processes[i], scale: time.Second,
			rand: rand.New(rand.NewPCG(seed, uint64(i))),
		})
		config.Clock = processes[i].clock
		done[i] = make(chan struct{})
		go func() { defer close(done[i]); run(ctx, config, func() { close(led[i]) }) }()
		time.Sleep(time.Second) // the first leads
	}
	<-led[0]
	time.Sleep(time.Duration(chance.Int64N(int64(20 * time.Second))))
	processes[0].mu.Lock()
	processes[0].dead = true
	processes[0].mu.Unlock()
	crash := time.Now()
	<-led[1]
	took := time.Since(crash)
	end()
	<-done[0]
	<-done[1]
	time.Sleep(time.Minute)
	return took
}
