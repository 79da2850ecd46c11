// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestATermThatIsLostEmptiesItsBranchOfTheSnapshot loses the Lease while an item of the term is in flight.
func TestATermThatIsLostEmptiesItsBranchOfTheSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api, work := &leaseAPI{}, worker{takes: time.Hour}
		r := leading(t, controller.ManagerOptions{LeaderElection: elect(api, "a")}, &work)
		time.Sleep(5 * time.Second)
		s := r.Snapshot()
		if l := s.Leadership; l == nil || !l.Leads || l.Holder != "a" || l.Left <= 0 || l.Left > 15 || l.Began == nil {
			t.Errorf("the leadership: %+v", l)
		}
		c := s.Controllers[0]
		if c.Scope != "term" || !c.Serving || len(c.InFlight) != 1 {
			t.Errorf("the controller: %+v", c)
		}
		ends["taken"].do(api)
		synctest.Wait()
		s = r.Snapshot()
		if l := s.Leadership; l.Leads || l.Left != 0 || l.Holder != "" {
			t.Errorf("after the term: %+v", l)
		}
		if c := s.Controllers[0]; c.Serving || len(c.InFlight) != 0 || len(c.Queue.Waiting) != 0 || s.State != "running" {
			t.Errorf("after the term: %v, %+v", s.State, c)
		}
		if story := only(t, r.Manager, "cm"); story.Place != "controller" || story.Reconciles[0].Cause != "leadership_lost" {
			t.Errorf("the story: %+v", story)
		}
	})
}
