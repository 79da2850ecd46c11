// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// The manager releases all Leases at its end. Those of a membership that is over were released before, as far as
// they could be, and that takes time if the API server does not answer.
func TestC31AMembershipIsReleasedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		r := s.start("a", nil)
		time.Sleep(2 * time.Second)
		if n := valid(r); n != slots {
			t.Fatalf("%d slots are served", n)
		}
		r.network.cut(true)
		cut := time.Now()
		time.Sleep(duration + time.Second)
		if n := len(r.keeper.table.Held()); n != 0 {
			t.Errorf("it has %d slots when its membership is over", n)
		}
		r.end() // in the middle of the release
		<-r.done
		if took := time.Since(cut); took < releaseTimeout || took > duration+releaseTimeout {
			t.Errorf("it has ended %v after it was cut off; a membership lasts %v, and a release has %v",
				took, duration, releaseTimeout)
		}
	})
}

// unlistable is a client of Leases that may not list them, which it hears after some time.
type unlistable struct {
	coordinationv1client.LeasesGetter
	after time.Duration
}

func (u unlistable) Leases(namespace string) coordinationv1client.LeaseInterface {
	return unlistableLeases{u.LeasesGetter.Leases(namespace), u.after}
}

type unlistableLeases struct {
	coordinationv1client.LeaseInterface
	after time.Duration
}

func (l unlistableLeases) List(context.Context, metav1.ListOptions) (*coordinationv1.LeaseList, error) {
	time.Sleep(l.after)
	return nil, apierrors.NewForbidden(resource, "", errors.New("no rights"))
}

func TestC31AReplicaThatMayNotListTheLeasesFailsWhenItHearsThat(t *testing.T) {
	const after = 500 * time.Millisecond
	// One of them waits for a moment since the last error of the process, which a bubble's clock puts many years ahead.
	handlers := utilruntime.ErrorHandlers
	utilruntime.ErrorHandlers = nil
	defer func() { utilruntime.ErrorHandlers = handlers }()
	for name, prepare := range map[string]func(context.Context){
		"with nothing to prepare": nil, "with caches to prepare": func(context.Context) { t.Error("it prepares its share") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := newSchedule(t, 1).start("a", func(config *Config) {
					config.Client = unlistable{config.Client, after}
					config.Prepare = prepare
					config.RetryPeriod = 1500 * time.Millisecond // it takes part before the answer, and does not wait this long after it
				})
				<-r.done
				if took := time.Since(began) - after; took < 0 || took > roundTrips {
					t.Errorf("it has ended %v after the answer", took)
				}
				if !apierrors.IsForbidden(r.err) {
					t.Errorf("it has ended with %v", r.err)
				}
			})
		})
	}
}
