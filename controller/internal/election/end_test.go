// SPDX-License-Identifier: Apache-2.0

package election

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestACampaignOnAContextThatHasEndedSendsAndLogsNothing(t *testing.T) {
	s := newServer()
	log := &bytes.Buffer{}
	ctx, end := context.WithCancelCause(logTo(t.Context(), log))
	end(cause.Shutdown)
	for range 200 {
		renewal, err := newCandidate(0, s).Campaign(ctx)
		if sent := s.requests(); renewal != nil || !errors.Is(err, cause.Shutdown) || sent != nil {
			t.Fatalf("it returned %v, %v and sent %v", renewal, err, sent)
		}
	}
	if log.Len() > 0 {
		t.Errorf("it logged:\n%s", log)
	}
}

// TestNothingIsWrittenOnceTheContextOfTheCampaignHasEnded ends it while the lease is being read,
// so that the write would follow in the same instant.
func TestNothingIsWrittenOnceTheContextOfTheCampaignHasEnded(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			log := &bytes.Buffer{}
			ctx, end := context.WithCancelCause(logTo(t.Context(), log))
			s.on("get", func(context.Context) error {
				end(cause.Shutdown)
				return nil
			})
			renewal, err := newCandidate(0, s).Campaign(ctx)
			if sent := s.requests(); renewal != nil || !errors.Is(err, cause.Shutdown) ||
				!slices.Equal(sent, []string{"get"}) {
				t.Errorf("it returned %v, %v and sent %v", renewal, err, sent)
			}
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("it logged an error:\n%s", log)
			}
		})
	}
}

func TestTheEndOfATermEndsTheRequestUnderWayInTheSameInstant(t *testing.T) {
	for range 50 {
		bubble(t, func(t *testing.T) {
			s, c, renewal := betweenRenewals(t)
			var underWay context.Context
			s.on("update", func(ctx context.Context) error {
				underWay = ctx
				<-ctx.Done()
				return ctx.Err()
			})
			time.Sleep(c.config.RetryPeriod)
			synctest.Wait()
			renewal.Term.End(cause.TermRefused, "")
			if underWay == nil || underWay.Err() == nil {
				t.Error("the renewal under way goes on")
			}
			renewal.Abandon()
		})
	}
}

// TestNothingIsSentOnceTheTermHasEnded ends the term during a renewal that fails. client-go's
// elector would read the lease in the same instant.
func TestNothingIsSentOnceTheTermHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, _, renewal := betweenRenewals(t)
		s.requests()
		s.on("update", func(context.Context) error {
			renewal.Term.End(cause.TermRefused, "")
			return errBroken
		})
		time.Sleep(time.Minute)
		if sent := s.requests(); !slices.Equal(sent, []string{"update"}) {
			t.Errorf("it sent %v, want the renewal alone", sent)
		}
		renewal.Abandon()
	})
}

func TestAbandonWaitsForTheElector(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c, renewal := betweenRenewals(t)
		returned := false
		s.on("update", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			returned = true
			return ctx.Err()
		})
		time.Sleep(c.config.RetryPeriod)
		renewal.Abandon()
		if !returned {
			t.Error("the elector goes on")
		}
	})
}

func TestALeaseThatARenewalDoesNotFindEndsTheTermAsDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c, renewal := betweenRenewals(t) // nobody watches the lease
		s.remove()
		s.requests()
		time.Sleep(c.config.RetryPeriod)
		synctest.Wait()
		var ended *cause.TermEnded
		if err := renewal.Term.Err(); !errors.As(err, &ended) || ended.How != cause.TermDeleted {
			t.Errorf("the term ended with %v", err)
		}
		if sent := s.requests(); !slices.Equal(sent, []string{"update", "get"}) {
			t.Errorf("it sent %v: the lease must not be created again", sent)
		}
		renewal.Abandon()
	})
}

func TestALeaseThatIsReleasedNamesNoProcessAndKeepsTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newServer()
		c := newCandidate(0, s)
		renewal := elected(t, c)
		s.edit(func(l *coordinationv1.Lease) {
			metav1.SetMetaDataAnnotation(&l.ObjectMeta, "another", "value")
		})
		if held, _ := s.get(); held.Annotations[ProcessAnnotation] != c.owner.process {
			t.Errorf("while it is held it has %v", held.Annotations)
		}
		if err := resign(t, renewal); err != nil {
			t.Fatal(err)
		}
		lease, _ := s.get()
		_, named := lease.Annotations[ProcessAnnotation]
		if named || lease.Annotations["another"] != "value" ||
			ptr.Deref(lease.Spec.HolderIdentity, "?") != "" {
			t.Errorf(
				"it has the annotations %v and the holder %q",
				lease.Annotations,
				holderOf(lease),
			)
		}
	})
}

func TestALeaseIsNotRenewedWhileTheProcessIsNotHealthy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newServer()
		stuck := errors.New("nothing goes on")
		var isStuck atomic.Bool
		config := configFor(0, s)
		config.Healthy = func() error {
			if isStuck.Load() {
				return stuck
			}
			return nil
		}
		renewal := elected(t, New(config))
		time.Sleep(config.RetryPeriod / 2)
		isStuck.Store(true)
		s.requests()
		time.Sleep(config.RetryPeriod)
		synctest.Wait()
		var ended *cause.TermEnded
		if err := renewal.Term.Err(); !errors.As(err, &ended) || ended.How != cause.TermStuck ||
			ended.Detail != stuck.Error() || s.requests() != nil {
			t.Errorf("the term ended with %v", err)
		}
		renewal.Abandon()
	})
}
