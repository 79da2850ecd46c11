// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// leasesByName is an API server with several leases.
type leasesByName struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used
	byName                              map[string]*wired
}

func (l *leasesByName) Leases(string) coordinationv1client.LeaseInterface { return l }

func (l *leasesByName) selected(options metav1.ListOptions) *wired {
	return l.byName[strings.TrimPrefix(options.FieldSelector, "metadata.name=")]
}

func (l *leasesByName) Get(
	ctx context.Context, name string, options metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	return l.byName[name].Get(ctx, name, options)
}

func (l *leasesByName) Create(
	ctx context.Context, lease *coordinationv1.Lease, options metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	return l.byName[lease.Name].Create(ctx, lease, options)
}

func (l *leasesByName) Update(
	ctx context.Context, lease *coordinationv1.Lease, options metav1.UpdateOptions,
) (*coordinationv1.Lease, error) {
	return l.byName[lease.Name].Update(ctx, lease, options)
}

func (l *leasesByName) List(
	ctx context.Context, options metav1.ListOptions,
) (*coordinationv1.LeaseList, error) {
	return l.selected(options).List(ctx, options)
}

func (l *leasesByName) Watch(
	ctx context.Context, options metav1.ListOptions,
) (watch.Interface, error) {
	return l.selected(options).Watch(ctx, options)
}

// TestTheCandidatesOfOneProcessDoNotAffectEachOther has three leases, one candidate each: the
// first loses its lease, the second releases it, the third leads on.
func TestTheCandidatesOfOneProcessDoNotAffectEachOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		names := []string{"lost", "released", "kept"}
		api := &leasesByName{byName: map[string]*wired{}}
		renewals := map[string]*Renewal{}
		ctx, end := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		for _, name := range names {
			api.byName[name] = newWired(newStore())
		}
		for _, name := range names {
			config := configFor(0, api)
			config.Lease.Name = name
			c := New(config)
			watching.Go(func() { _ = c.WatchLease(ctx) })
			renewals[name] = elected(t, c)
		}
		time.Sleep(time.Minute)
		api.byName["lost"].edit(func(l *coordinationv1.Lease) {
			l.Spec.HolderIdentity = ptr.To("another")
		})
		if err := resign(t, renewals["released"]); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()

		ends := map[string]cause.TermEnd{}
		holders := map[string]string{}
		for _, name := range names {
			var ended *cause.TermEnded
			if errors.As(renewals[name].Term.Err(), &ended) {
				ends[name] = ended.How
			}
			lease, _ := api.byName[name].get()
			holders[name] = holderOf(lease)
			if got := renewals[name].Term.Lease.Name; got != name {
				t.Errorf("the term of %s is on the lease %s", name, got)
			}
		}
		if want := map[string]cause.TermEnd{
			"lost": cause.TermTaken, "released": cause.TermResigned,
		}; !maps.Equal(ends, want) {
			t.Errorf("the terms ended with %v, want %v", ends, want)
		}
		if want := map[string]string{
			"lost": "another", "released": "", "kept": "0",
		}; !maps.Equal(holders, want) {
			t.Errorf("the holders are %v, want %v", holders, want)
		}
		for _, renewal := range renewals {
			renewal.Abandon()
		}
		end()
		watching.Wait()
	})
}
