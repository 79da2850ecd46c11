// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/plan"
)

// Plan runs the manager dry and returns what it would change. ManagerOptions.DryRun must be set.
//
// The caches are filled, and each object is reconciled DryRun.Rounds times, whatever the result is: nothing
// is tried again, and no delay waited for. Every write through a client that was made from [Manager.Config]
// is sent with dryRun=All: the API server does all that it would do, with admission and validation, but
// stores nothing. No code can leave this mode; a call of which there is no dry run fails with
// [plan.ErrRefused]. No Lease is taken, whatever ManagerOptions.LeaderElection says: all controllers work.
// Events are not stored, and not part of the plan. Runnables, servers and sources that are no informers do
// not run; the plan names them.
//
// What reconcile functions do outside of the API server is not dry: ask [IsDryRun] before it.
//
// A reconcile that fails is part of the plan and no error. Plan returns an error for what Run would return one
// for, and if ctx ends before the plan is complete. Plan can be called once.
func (m *Manager) Plan(ctx context.Context) (*plan.Plan, error) {
	if m.planning == nil {
		return nil, errors.New(
			"ManagerOptions.DryRun is not set: set it, so that the manager cannot change anything, or call Run",
		)
	}
	if err := m.run(withDryRun(ctx)); err != nil {
		return nil, err
	}
	if why := m.Report().Cause; !errors.Is(why, cause.DryRun) {
		return nil, fmt.Errorf("the dry run has ended before its plan was complete: %w", why)
	}
	return m.planning.recorder.Plan(), nil
}
