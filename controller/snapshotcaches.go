// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/faults"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// cachesNow returns the caches, and the collections by which factories feed informers of which the manager knows
// nothing else.
func (m *Manager) cachesNow(now time.Time) []snapshot.Cache {
	all := []snapshot.Cache{}
	for _, c := range m.informers.set.All() {
		s := snapshot.Cache{
			Kind: c.Label(), Objects: len(c.GetStore().ListKeys()), Synced: c.HasSynced(), Age: -1,
			Failing: snapshot.SecondsOf(c.FailingFor(now)), Error: faults.Describe(c.LastError(now)),
		}
		if age := c.Age(now); age >= 0 {
			s.Age = snapshot.SecondsOf(age)
		}
		all = append(all, s)
	}
	for _, stream := range m.informers.unit.Streams.All(now) {
		resource, _, _ := strings.Cut(stream.Name, " ")
		s := snapshot.Cache{Kind: resource, Objects: -1, Synced: true, Age: -1, Error: faults.Describe(stream.Err)}
		if !stream.Since.IsZero() {
			s.Synced = false
			s.Failing = snapshot.SecondsOf(now.Sub(stream.Since))
		}
		all = append(all, s)
	}
	return all
}
