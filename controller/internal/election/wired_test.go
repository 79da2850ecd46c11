// SPDX-License-Identifier: Apache-2.0

package election

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// wired is a way to the server over one connection. What is sent on a severed one is never
// answered, but another can be made.
type wired struct {
	*network
	severed atomic.Bool
	down    atomic.Bool // nothing can be sent
	writing func()      // does something on the server right before a write; it may be nil
	dialled int         // how many more connections were made

	unreachable bool // another connection is severed too
}

func newWired(store *store) *wired {
	return &wired{
		network: &network{
			store:   store,
			process: &process{rate: 1, start: time.Now()},
			rand:    rand.New(rand.NewPCG(1, 1)),
			scale:   time.Second,
		},
	}
}

// candidate has the default times.
func (w *wired) candidate() *Candidate {
	config := configFor(0, w)
	config.Reconnect = func() {
		w.dialled++
		w.severed.Store(w.unreachable)
	}
	return New(config)
}

func (w *wired) Leases(string) coordinationv1client.LeaseInterface { return w }

func (w *wired) send(ctx context.Context) error {
	if w.down.Load() {
		return errBroken
	}
	if w.severed.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (w *wired) Get(
	ctx context.Context,
	name string,
	options metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	if err := w.send(ctx); err != nil {
		return nil, err
	}
	return w.network.Get(ctx, name, options)
}

func (w *wired) write(ctx context.Context) error {
	if w.writing != nil {
		w.writing()
	}
	return w.send(ctx)
}

func (w *wired) Create(
	ctx context.Context,
	lease *coordinationv1.Lease,
	options metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	if err := w.write(ctx); err != nil {
		return nil, err
	}
	return w.network.Create(ctx, lease, options)
}

func (w *wired) Update(
	ctx context.Context,
	lease *coordinationv1.Lease,
	options metav1.UpdateOptions,
) (*coordinationv1.Lease, error) {
	if err := w.write(ctx); err != nil {
		return nil, err
	}
	return w.network.Update(ctx, lease, options)
}

// elected is the renewal of a candidate that is alone.
func elected(t *testing.T, c *Candidate) *Renewal {
	t.Helper()
	renewal, err := c.Campaign(klog.NewContext(t.Context(), logr.Discard()))
	if err != nil {
		t.Fatal(err)
	}
	return renewal
}

// betweenRenewals is an elected candidate, half a period after it acquired the lease.
func betweenRenewals(t *testing.T) (*server, *Candidate, *Renewal) {
	t.Helper()
	s := newServer()
	c := newCandidate(0, s)
	renewal := elected(t, c)
	time.Sleep(c.config.RetryPeriod / 2)
	return s, c, renewal
}

// bubble is virtual time, in which requests that nobody waits for come to their end too.
func bubble(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(time.Minute)
	})
}

// releaseTime is what the manager gives a release.
const releaseTime = 5 * time.Second

func resign(t *testing.T, renewal *Renewal) error {
	ctx, cancel := context.WithTimeout(klog.NewContext(t.Context(), logr.Discard()), releaseTime)
	defer cancel()
	return renewal.Release(ctx)
}

func TestC12ARenewalThatIsNotAnsweredIsTriedAgainOverAnotherConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWired(newStore())
		renewal := elected(t, w.candidate())
		defer renewal.Abandon()
		time.Sleep(5 * time.Second)
		w.severed.Store(true)
		time.Sleep(time.Minute)
		if err := renewal.Term.Check(); err != nil {
			t.Errorf("one severed connection ended the term: %v", err)
		}
	})
}

func TestC15AReleaseThatIsNotAnsweredIsTriedAgainOverAnotherConnection(t *testing.T) {
	for name, sever := range map[string]func(*wired){
		"its read":  func(w *wired) { w.severed.Store(true) },
		"its write": func(w *wired) { w.writing = sync.OnceFunc(func() { w.severed.Store(true) }) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWired(newStore())
				renewal := elected(t, w.candidate())
				time.Sleep(5 * time.Second)
				renewal.Abandon() // so that nothing else is sent
				sever(w)
				began := time.Now()
				err := resign(t, renewal)
				if lease, _ := w.get(); err != nil || holderOf(lease) != "" ||
					time.Since(began) > releaseTime/2 {
					t.Errorf(
						"after %v the lease is held by %q: %v",
						time.Since(began),
						holderOf(lease),
						err,
					)
				}
			})
		})
	}
}

func TestC15AReleaseOfWhichNothingIsAnsweredEndsInTimeAndSaysHowLongOthersWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWired(newStore())
		w.unreachable = true
		renewal := elected(t, w.candidate())
		renewal.Abandon()
		w.severed.Store(true)
		began := time.Now()
		err := resign(t, renewal)
		if err == nil || !strings.Contains(err.Error(), "it expires in 15s") ||
			time.Since(began) != releaseTime ||
			w.dialled < releaseTries-1 {
			t.Errorf(
				"after %v and %d more connections it returned %v",
				time.Since(began),
				w.dialled,
				err,
			)
		}
	})
}

func TestC15AReleaseIsBegunAnewWhenTheLeaseHasChangedSinceItWasReadAndNotForEver(t *testing.T) {
	for changes, released := range map[int]bool{1: true, 3: true, 4: false} {
		bubble(t, func(t *testing.T) {
			store := newStore()
			w := newWired(store)
			renewal := elected(t, w.candidate())
			renewal.Abandon()
			left := changes
			w.writing = func() {
				if left--; left >= 0 {
					store.edit(
						func(l *coordinationv1.Lease) { l.Spec.RenewTime = ptr.To(metav1.NowMicro()) },
					) // our own, late
				}
			}
			err := resign(t, renewal)
			if lease, _ := store.get(); released != (err == nil) ||
				released != (holderOf(lease) == "") ||
				!released && !apierrors.IsConflict(err) {
				t.Errorf("with %d changes: held by %q, %v", changes, holderOf(lease), err)
			}
		})
	}
}

func TestC16WhatCameFirstMayBeOurOwnWriteSoThatACampaignTriesAgainAtOnce(t *testing.T) {
	for name, free := range map[string]bool{"a conflict": true, "it exists": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := newStore()
				w := newWired(store)
				c := w.candidate()
				own := &coordinationv1.Lease{
					ObjectMeta: metaOf(c.config.Lease),
					Spec:       coordinationv1.LeaseSpec{LeaseDurationSeconds: ptr.To[int32](15)},
				}
				if free {
					if _, err := store.create(0, own); err != nil {
						t.Fatal(err)
					}
				}
				w.writing = sync.OnceFunc(func() { // what a try sent that was replaced arrives
					metav1.SetMetaDataAnnotation(
						&own.ObjectMeta,
						ProcessAnnotation,
						c.owner.process,
					)
					own.Spec.HolderIdentity = ptr.To(c.config.Identity)
					write := store.create
					if free {
						write = store.update
					}
					if _, err := write(0, own); err != nil {
						t.Error(err)
					}
				})
				began := time.Now()
				renewal := elected(t, c)
				if took := time.Since(began); took > c.config.RetryPeriod/2 {
					t.Errorf("it leads after %v", took)
				}
				renewal.Abandon()
			})
		})
	}
}

func TestC12ATermIsOverWhenTheElectorHasGivenUpAlthoughTheLeaseHasNotExpired(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWired(newStore())
		c := w.candidate()
		renewal := elected(t, c)
		defer renewal.Abandon()
		time.Sleep(c.config.RetryPeriod / 2)
		w.down.Store(true)
		began := time.Now()
		<-renewal.Term.Context().Done()
		synctest.Wait()
		var ended *cause.TermEnded
		if !errors.As(renewal.Term.Err(), &ended) || ended.How != cause.TermExpired ||
			renewal.Term.Remaining() <= 0 ||
			time.Since(began) > c.config.RetryPeriod+c.config.RenewDeadline {
			t.Errorf(
				"%v after the last renewal, with %v left, it ended with %v",
				time.Since(began),
				renewal.Term.Remaining(),
				renewal.Term.Err(),
			)
		}
	})
}

func TestAStandByLogsOnceWhoLeadsAndAgainWhenAnotherDoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store, log := newStore(), &bytes.Buffer{}
		take := func(holder string) {
			store.edit(func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To(holder) })
		}
		renewal := elected(t, newWired(store).candidate())
		ctx := logTo(t.Context(), log)
		c := newCandidate(1, newWired(store))
		var campaign sync.WaitGroup
		campaign.Go(func() {
			won, err := c.Campaign(ctx) // when the lease of 2 has expired
			if err != nil {
				t.Error(err)
				return
			}
			take("2") // again
			<-won.Term.Context().Done()
			won.Abandon()
			ctx, end := context.WithTimeout(ctx, c.config.LeaseDuration/2)
			defer end()
			_, _ = c.Campaign(ctx)
		})
		time.Sleep(time.Minute)
		renewal.Abandon()
		take("2")
		campaign.Wait()
		var holders []string
		leads := regexp.MustCompile(
			`level=INFO msg="Another process leads" lease=default/lease holder=(\S+)`)
		for _, line := range leads.FindAllStringSubmatch(log.String(), -1) {
			holders = append(holders, line[1])
		}
		if got := strings.Join(holders, " "); got != "0 2 2" {
			t.Errorf("it says that %q led:\n%s", got, log)
		}
	})
}
