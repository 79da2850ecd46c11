// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"context"
	"log/slog"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/orphantest"
)

// Running is a manager whose Run is under way.
type Running struct {
	*controller.Manager
	stop context.CancelCauseFunc
	done chan struct{}
	err  error
	told bool // the test has asked for err
}

// Start makes a manager on an API, sets it up as controller.Main does, and runs it until the end of the test or
// [Running.Stop]. It does not wait for anything: call synctest.Wait.
//
// The manager finds objects of caches that are changed in place (DetectMutations), and calls with a context from
// outside ([orphantest.Check]): both fail the test. So does an error of Run. Its log is part of the test's output.
// The options can be changed by functions.
func Start(t T, api *API, setUp func(*controller.Manager) error, change ...func(*controller.ManagerOptions)) *Running {
	t.Helper()
	options := controller.ManagerOptions{DetectMutations: true}
	for _, f := range change {
		f(&options)
	}
	m := controller.NewManager(api.Config(), options)
	orphantest.Check(t, m)
	r := &Running{Manager: m, done: make(chan struct{})}
	if err := setUp(m); err != nil {
		t.Fatalf("set up the manager: %v", err)
	}
	log := logr.FromSlogHandler(slog.NewTextHandler(t.Output(), nil))
	ctx, stop := context.WithCancelCause(klog.NewContext(t.Context(), log))
	r.stop = stop
	var running sync.WaitGroup
	running.Go(func() {
		defer close(r.done)
		r.err = m.Run(ctx)
	})
	t.Cleanup(func() {
		t.Helper()
		told := r.told
		if err := r.Stop(nil); err != nil && !told {
			t.Errorf("Run of the manager returned: %v", err)
		}
	})
	return r
}

// Stop ends the manager with a cause, nil for none, and returns what Run returned. An error that Stop has returned
// does not fail the test at its end.
func (r *Running) Stop(why error) error {
	r.told = true
	r.stop(why)
	<-r.done
	return r.err
}

// Done is closed when Run has returned.
func (r *Running) Done() <-chan struct{} { return r.done }
