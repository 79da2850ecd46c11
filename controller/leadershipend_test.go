// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC15AReleaseThatIsNotAnsweredIsTriedAgainAlsoAtTheDefaultTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &work)
		time.Sleep(5 * time.Second)
		api.setDown(true)
		time.AfterFunc(time.Second, func() { api.setDown(false) }) // what has been sent before is not answered
		if err := r.end(nil); err != nil {
			t.Error(err)
		}
		if holder, _ := api.holder(); holder != "" || r.Report().Took > 4*time.Second {
			t.Errorf("after %v the lease is held by %q", r.Report().Took, holder)
		}
	})
}

// watchedAPI knows why the last read that was not answered ended.
type watchedAPI struct {
	*leaseAPI
	ended error
}

func (a *watchedAPI) Leases(string) coordinationv1client.LeaseInterface { return a }

func (a *watchedAPI) Get(ctx context.Context, name string, options metav1.GetOptions) (*coordinationv1.Lease, error) {
	lease, err := a.leaseAPI.Get(ctx, name, options)
	if ctx.Err() != nil {
		a.ended = context.Cause(ctx)
	}
	return lease, err
}

func TestC15AReleaseThatIsNeverAnsweredEndsAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &watchedAPI{leaseAPI: &leaseAPI{}}, worker{takes: time.Hour}
		election := elect(api.leaseAPI, "a")
		began := time.Now()
		inTest(election, api, func() time.Duration { return time.Since(began) })
		r := leading(t, controller.ManagerOptions{LeaderElection: election}, &work)
		time.Sleep(5 * time.Second)
		api.setDown(true)
		if err := r.end(nil); err != nil || r.Report().Took > 6*time.Second || !strings.Contains(r.log.String(), "The lease was not released") {
			t.Errorf("after %v Run returned %v", r.Report().Took, err)
		}
		if !errors.Is(api.ended, cause.CallTimeout) || !strings.Contains(api.ended.Error(), "the release of the lease has 5s") {
			t.Errorf("the last attempt ended with %v", api.ended)
		}
	})
}

func TestTheEndOfATermIsLoggedOnceWithItsCauseHoweverItEnds(t *testing.T) {
	const line = `msg="Leadership ended" lease=default/lease term=a#0 cause="[^"]*%s[^"]*" took=0s cancelled=1 finished=0`
	for name, test := range map[string]struct {
		end  func(*running, *leaseAPI)
		says string
	}{
		"with the process": {func(*running, *leaseAPI) {}, "the manager is shutting down"},
		"before it":        {func(_ *running, a *leaseAPI) { ends["taken"].do(a); time.Sleep(time.Second) }, "another process holds the lease: b"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				api, work := &leaseAPI{}, worker{takes: time.Hour}
				r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &work)
				time.Sleep(5 * time.Second)
				test.end(r, api)
				if err := r.end(nil); err != nil {
					t.Error(err)
				}
				log := r.log.String()
				if ended := regexp.MustCompile(strings.ReplaceAll(line, "%s", test.says)).FindAllString(log, -1); len(ended) != 1 || strings.Count(log, "Leadership ended") != 1 {
					t.Errorf("the log is\n%s", log)
				}
				if released := strings.Index(log, "Lease released"); released >= 0 && released < strings.Index(log, "Leadership ended") {
					t.Error("the lease was released before the term had ended")
				}
			})
		})
	}
}

func TestATermsResourceVersionTellsItFromOthersOfItsNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &work)
		time.Sleep(5 * time.Second)
		first, _ := r.CurrentTerm()
		api.remove()
		time.Sleep(10 * time.Second)
		second, leads := r.CurrentTerm()
		if !leads || first.Number != second.Number || first.ResourceVersion == "" || second.ResourceVersion == "" || first.ResourceVersion == second.ResourceVersion {
			t.Errorf("the terms are %+v and %+v", first, second)
		}
	})
}
