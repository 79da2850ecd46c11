// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/klog/v2"
)

// lines are what the replicas of a schedule have logged.
type lines struct {
	mu  sync.Mutex
	all []string
}

// logged lets a schedule's replicas log to lines.
func (s *schedule) logged() *lines {
	l := &lines{}
	s.ctx = klog.NewContext(s.ctx, funcr.New(func(_, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, args)
	}, funcr.Options{}))
	return l
}

// with returns the lines that have a text.
func (l *lines) with(text string) (some []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			some = append(some, line)
		}
	}
	return some
}

func TestC31ThatAReplicaIsRefusedIsLoggedOnceEachTimeItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		log := s.logged()
		r := s.start("a", nil)
		time.Sleep(2 * time.Second)
		for times := range 3 {
			if logged := log.with("does not work beside"); len(logged) != times || r.keeper.Refused() != nil || valid(r) != slots {
				t.Errorf("it was refused %d times, works in %d slots, is refused with %v, and has logged %q",
					times, valid(r), r.keeper.Refused(), logged)
			}
			epoch := ""
			s.server.edit("set", func(root *coordinationv1.Lease) {
				epoch = root.Annotations[epochAnnotation]
				delete(root.Annotations, epochAnnotation)
			})
			time.Sleep(bound)
			logged := log.with("does not work beside")
			if len(logged) != times+1 || !strings.Contains(logged[times], "but not how") || r.keeper.Refused() == nil || valid(r) != 0 {
				t.Errorf("it is refused for the time %d, works in %d slots, is refused with %v, and has logged %q",
					times+1, valid(r), r.keeper.Refused(), logged)
			}
			s.server.edit("set", func(root *coordinationv1.Lease) { root.Annotations[epochAnnotation] = epoch })
			time.Sleep(bound)
		}
		endAll(r)
	})
}

func TestC31ASlotWhoseLeaseCannotBeWrittenIsNotTakenAndThatIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, 1)
		log := s.logged()
		var client *unwritable
		r := s.start("a", func(config *Config) {
			client = &unwritable{name: config.names().slot(0, 3)}
			config.Client = client.client(config.Client)
		})
		time.Sleep(2 * time.Second)
		if r.keeper.table.slots[3].Load() != nil || valid(r) != slots-1 {
			t.Errorf("%d slots are served, of which one cannot be taken", valid(r))
		}
		logged := log.with("A slot was not taken")
		if len(logged) < 2 {
			t.Errorf("it was not tried again, or that is not logged: %q", logged)
		}
		for _, line := range logged {
			if !strings.Contains(line, `"slot"=3`) || !strings.Contains(line, "not now") {
				t.Errorf("it logged %s", line)
			}
		}
		client.healed.Store(true)
		time.Sleep(r.keeper.config.RetryPeriod + roundTrips)
		if valid(r) != slots {
			t.Errorf("%d slots are served when all can be taken", valid(r))
		}
		if again := log.with("A slot was not taken"); len(again) > len(logged) {
			t.Errorf("it logged %q when all can be taken", again[len(logged):])
		}
		endAll(r)
	})
}
