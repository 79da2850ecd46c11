// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// stuckGrace is the time after the end of an item's time in which its reconcile may still return.
const stuckGrace = 5 * time.Second

// stallGrace is the time for which a filter, mapping or transform may run.
const stallGrace = 10 * time.Second

// progress returns an error if something does not go on: the workers of one of the controllers are
// all stuck, or a function of the user holds up events.
func progress(units *work.Registry, set *caches.Set, controllers []*controllerRunner) error {
	return errors.Join(stuck(units, controllers), stalled(set, controllers))
}

// stalled returns an error that names each filter and mapping of the controllers, and each transform,
// that has been running for too long.
func stalled(set *caches.Set, controllers []*controllerRunner) error {
	now := time.Now()
	var errs []error
	for _, c := range controllers {
		errs = append(errs, c.Stalled(now, stallGrace))
	}
	for _, informer := range set.All() {
		errs = append(errs, informer.Stalled(now, stallGrace))
	}
	return errors.Join(errs...)
}

// stuck returns an error that names each of the controllers whose workers all have an item whose
// time is over.
func stuck(units *work.Registry, controllers []*controllerRunner) error {
	overdue := map[string][]*work.Unit{}
	now := time.Now()
	for _, unit := range units.Live() {
		if unit.Kind == report.Item && unit.Overdue(now, stuckGrace) {
			overdue[unit.Owner] = append(overdue[unit.Owner], unit)
		}
	}
	if len(overdue) == 0 {
		return nil
	}
	var errs []error
	for _, c := range controllers {
		items := overdue[c.name()]
		workers := c.Config().Workers
		if len(items) < workers {
			continue
		}
		named := make([]string, len(items))
		for i, unit := range items {
			named[i] = unit.Describe(unit.Outstanding()).String()
		}
		errs = append(
			errs,
			fmt.Errorf("all %d workers of controller %q are stuck, their time is over: %s%s",
				workers, c.name(), strings.Join(named, "; "), waiting(c.Backlog(now))),
		)
	}
	return errors.Join(errs...)
}

// waiting returns what waits for the workers, as the end of a sentence.
func waiting(backlog pipeline.Backlog) string {
	switch {
	case backlog.Depth == 0:
		return ""
	case backlog.Waited == 0:
		return fmt.Sprintf("; objects that wait for them: %d", backlog.Depth)
	default:
		return fmt.Sprintf("; objects that wait for them: %d, %s for %v",
			backlog.Depth, backlog.Oldest, backlog.Waited.Round(time.Second))
	}
}
