package controller

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// stuckGrace is how long after its time is over an item may still be on its way back.
const stuckGrace = 5 * time.Second

// Healthy tells whether every controller makes progress, as a liveness probe wants it (C27): a controller
// makes none when each of its workers has an item whose time is over, and which has not returned although
// its context has ended. The error names them.
func (m *Manager) Healthy() error { return m.stuck(func(runner) bool { return true }) }

// progress is why leadership must not be kept.
func (m *Manager) progress() error { return m.stuck(runner.leaderBound) }

func (m *Manager) stuck(concerns func(runner) bool) error {
	overdue := map[string][]*work.Unit{}
	now := time.Now()
	for _, unit := range m.units.Live() {
		if unit.Kind == work.Item && now.After(unit.Due.Add(stuckGrace)) {
			overdue[unit.Owner] = append(overdue[unit.Owner], unit)
		}
	}
	if len(overdue) == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, c := range m.controllers {
		items := overdue[c.name()]
		if !concerns(c) || len(items) < c.workers() {
			continue
		}
		named := make([]string, len(items))
		for i, unit := range items {
			named[i] = describeWork(unit, unit.Outstanding()).String()
		}
		errs = append(errs, fmt.Errorf("all %d workers of controller %q are stuck, their time is over: %s", c.workers(), c.name(), strings.Join(named, "; ")))
	}
	return errors.Join(errs...)
}
