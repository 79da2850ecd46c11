// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Options says how to run what is tested. The zero value works.
type Options struct {
	// Manager are the manager's options. Default: its defaults.
	Manager controller.ManagerOptions

	// Config may change the config before anything is made from it, for example set QPS. Default: nil.
	Config func(*rest.Config)

	// Context is the parent of the root, for its values and logger. Default: the test's context, without
	// a log.
	Context context.Context //ctxvet:ok ctxfield: an option

	// Within bounds the wait for Run to return after the end; the test fails when it is over. Default:
	// Manager.ShutdownTimeout or, where that is not set, 20 seconds, and 10 seconds more.
	Within time.Duration
}

func (o Options) within() time.Duration {
	if o.Within > 0 {
		return o.Within
	}
	limit := o.Manager.ShutdownTimeout
	if limit == 0 {
		limit = 20 * time.Second
	}
	return limit + 10*time.Second
}

// Run is a manager, or something else, at work against a proxy.
type Run struct {
	t          testing.TB
	proxy      *Proxy
	manager    *controller.Manager // nil of StartFunc
	within     time.Duration
	goroutines goleak.Option // the ones that were there before
	before     int           // the calls that were
	cancel     context.CancelCauseFunc
	done       chan struct{}
	err        error
	returned   time.Time

	// Of the end:
	cause error
	ended time.Time
	held  []Target // what rules held
	open  []Call   // what was outstanding when Run returned
}

// Start makes a manager from the proxy's config, lets setup add to it, and runs it in the background
// until [Run.End] or the end of the test.
func Start(t testing.TB, proxy *Proxy, setup func(*controller.Manager) error, options Options) *Run {
	t.Helper()
	r := newRun(t, proxy, options)
	r.manager = controller.NewManager(options.config(proxy), options.Manager)
	if err := setup(r.manager); err != nil {
		t.Fatalf("set the manager up: %v", err)
	}
	r.start(options, r.manager.Run)
	return r
}

// StartFunc runs a function in the background until [Run.End] or the end of the test: a controller that
// is not built with Lanyard. It is to use config for its clients and to return when all is over.
func StartFunc(t testing.TB, proxy *Proxy, run func(ctx context.Context, config *rest.Config) error, options Options) *Run {
	t.Helper()
	r := newRun(t, proxy, options)
	config := options.config(proxy)
	r.start(options, func(ctx context.Context) error { return run(ctx, config) })
	return r
}

func (o Options) config(proxy *Proxy) *rest.Config {
	config := proxy.Config()
	if o.Config != nil {
		o.Config(config)
	}
	return config
}

func newRun(t testing.TB, proxy *Proxy, options Options) *Run {
	return &Run{
		t: t, proxy: proxy, within: options.within(), goroutines: goleak.IgnoreCurrent(), before: len(proxy.Calls()),
		done: make(chan struct{}),
	}
}

func (r *Run) start(options Options, run func(context.Context) error) {
	parent := options.Context
	if parent == nil {
		parent = withoutLog(r.t.Context())
	}
	var root context.Context
	root, r.cancel = context.WithCancelCause(parent)
	go func() {
		defer close(r.done)
		r.err = run(root)
		r.returned = time.Now()
	}()
	r.t.Cleanup(func() {
		r.cancel(errors.New("the test is over"))
		if !r.wait() {
			r.t.Errorf("at the end of the test, Run has not returned after %v", r.within)
		}
	})
}

// wait is false when Run has not returned within the bound.
func (r *Run) wait() bool {
	limit := time.NewTimer(r.within)
	defer limit.Stop()
	select {
	case <-r.done:
		return true
	case <-limit.C:
		return false
	}
}

// End is Cancel and Wait.
func (r *Run) End(cause error) error {
	r.t.Helper()
	r.Cancel(cause)
	return r.Wait()
}

// Cancel ends the root context with a cause and does not wait. It is for managers that drain: what they
// wait for can then be released.
func (r *Run) Cancel(cause error) {
	r.t.Helper()
	select {
	case <-r.done:
		r.t.Fatalf("Run returned before its end, with: %v", r.err)
	default:
	}
	if cause == nil {
		cause = errors.New("ended by the test")
	}
	r.cause, r.held = cause, r.proxy.held()
	r.ended = r.proxy.calls.endRoot(func() { r.cancel(cause) })
}

// Wait waits until Run has returned, which it gives back. When that takes longer than Options.Within, the
// test fails and says which calls are outstanding.
func (r *Run) Wait() error {
	r.t.Helper()
	if !r.wait() {
		r.t.Fatalf("Run has not returned %v after the end; outstanding calls: %v", r.within, outstanding(r.calls()))
	}
	r.open = outstanding(r.calls())
	return r.err
}

// Took is the time from the end to Run's return.
func (r *Run) Took() time.Duration { return r.returned.Sub(r.ended) }

// Returned is when Run returned.
func (r *Run) Returned() time.Time { return r.returned }

// Manager is the manager under test, nil with [StartFunc].
func (r *Run) Manager() *controller.Manager { return r.manager }

// ItemErrors returns the errors with which the reconcile function returned from the items in the report.
func (r *Run) ItemErrors() []error {
	var errs []error
	for _, item := range r.manager.Report().Cancelled {
		if item.Err != nil {
			errs = append(errs, item.Err)
		}
	}
	return errs
}

// calls are the ones begun since the start.
func (r *Run) calls() []Call { return r.proxy.Calls()[r.before:] }

func outstanding(calls []Call) (open []Call) {
	for _, c := range calls {
		if c.Ended.IsZero() {
			open = append(open, c)
		}
	}
	return open
}

// few says at most three things of a list.
func few[T any](list []T) string {
	if len(list) <= 3 {
		return fmt.Sprint(list)
	}
	return fmt.Sprintf("%v and %d more", list[:3], len(list)-3)
}
