// SPDX-License-Identifier: Apache-2.0

package shutdowntest_test

import (
	"context"
	"net/http"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

// broken runs something that does not keep the promise, in a call when it ends, and returns the test
// that it failed.
func broken(t *testing.T, expect shutdowntest.Expect, run func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error) *recorder {
	t.Helper()
	_, proxy := newProxy(t)
	r := &recorder{TB: t}
	held := proxy.Add(shutdowntest.Match{Name: "held"}, shutdowntest.Stall())
	t.Cleanup(held.Release)
	at := shutdowntest.StartFunc(r, proxy, func(ctx context.Context, config *rest.Config) error {
		c, err := rest.HTTPClientFor(config)
		if err != nil {
			return err
		}
		return run(ctx, c, proxy)
	}, shutdowntest.Options{})
	held.Await(1)
	_ = at.End(errOver) // the promise is what is looked at
	at.AssertPromise(expect)
	held.Release()
	return r
}

func TestAControllerThatKeepsThePromisePasses(t *testing.T) {
	r := broken(t, shutdowntest.Expect{}, func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		return get(ctx, c, proxy, "held").err
	})
	if len(r.failures) > 0 {
		t.Error(r.failures)
	}
}

func TestACallThatHasNotReturnedIsFound(t *testing.T) {
	left := make(chan struct{})
	t.Cleanup(func() { <-left })
	expect := shutdowntest.Expect{AllowGoroutines: true}
	r := broken(t, expect, func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		go func() {
			defer close(left)
			get(context.WithoutCancel(ctx), c, proxy, "held") // is what is wrong here
		}()
		<-ctx.Done()
		return nil
	})
	if len(r.failures) != 2 {
		t.Fatal(r.failures)
	}
	(&recorder{TB: t, failures: r.failures[:1]}).wantOne("1 calls had not returned when Run did, of which 0 by stragglers are expected: [get configmaps prod/held")
	(&recorder{TB: t, failures: r.failures[1:]}).wantOne("was made with a context that the manager's end does not end")
}

func TestACallWithAnotherCauseIsFound(t *testing.T) {
	broken(t, shutdowntest.Expect{}, func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer context.AfterFunc(ctx, cancel)()
		return get(own, c, proxy, "held").err
	}).wantOne(`ended with "context canceled", which is not the cause of the end (over)`)
}

func TestARequestAfterTheEndIsFoundUnlessItIsAllowed(t *testing.T) {
	late := func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		get(ctx, c, proxy, "held") // ends with the context
		return get(context.WithoutCancel(ctx), c, proxy, "late").err
	}
	broken(t, shutdowntest.Expect{}, late).wantOne("get configmaps prod/late")
	r := broken(t, shutdowntest.Expect{AllowLate: []shutdowntest.Match{{Name: "late"}}}, late)
	if len(r.failures) > 0 {
		t.Error(r.failures)
	}
}

func TestARequestThatIsMadeWhileTheContextsEndIsAfterTheEnd(t *testing.T) {
	broken(t, shutdowntest.Expect{}, func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		for range 100_000 { // they end one after another, when the root itself has
			_, cancel := context.WithCancel(ctx)
			t.Cleanup(cancel)
		}
		go get(ctx, c, proxy, "held")
		<-ctx.Done()
		return get(context.WithoutCancel(ctx), c, proxy, "late").err
	}).wantOne("get configmaps prod/late")
}

func TestAGoroutineThatIsLeftIsFound(t *testing.T) {
	free := make(chan struct{})
	t.Cleanup(func() { close(free) })
	broken(t, shutdowntest.Expect{}, func(ctx context.Context, c *http.Client, proxy *shutdowntest.Proxy) error {
		go func() { <-free }()
		return get(ctx, c, proxy, "held").err
	}).wantOne("goroutines were left")
}
