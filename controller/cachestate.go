// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/metrics"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// monitor returns what logs the trouble of caches.
func (m *Manager) monitor() *caches.Monitor {
	return &caches.Monitor{
		Set: &m.informers.set, Factories: m.informers.unit.Streams,
		Order:   func() { _ = m.units.Live() }, // each item takes its lock when it begins and ends
		Stalled: func() error { return stalled(&m.informers.set, m.setup.all()) },
	}
}

// cacheState returns what the metrics tell of a cache.
func cacheState(c *caches.Cache, now time.Time) metrics.CacheState {
	state := metrics.CacheState{
		Name: c.Label(), Objects: len(c.GetStore().ListKeys()), Age: c.Age(now), Failing: c.FailingFor(now),
		Errors: map[string]int64{},
	}
	for reason, n := range c.Errors(now) {
		state.Errors[string(reason)] = n
	}
	return state
}

// factoryStates returns what the metrics tell of the informers that factories run, by the resources
// that these list and watch.
func factoryStates(streams *work.Streams, now time.Time) (states []metrics.CacheState) {
	for _, stream := range streams.All(now) {
		resource, _, _ := strings.Cut(stream.Name, " ")
		state := metrics.CacheState{
			Name: resource, Objects: -1, Age: -1,
			Errors: map[string]int64{string(caches.ListOrWatch): stream.Errors},
		}
		if !stream.Since.IsZero() {
			state.Failing = now.Sub(stream.Since)
		}
		states = append(states, state)
	}
	return states
}
