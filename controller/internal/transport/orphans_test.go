// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/clientset/deprecated" //nolint:staticcheck // it is what old callers use
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// orphaned is told of orphans.
type orphaned struct {
	observe.Nop
	told []string
}

func (o *orphaned) CallOrphaned(_ context.Context, orphan *report.Orphan, first bool) {
	if first {
		o.told = append(o.told, orphan.Call.String()+" at "+orphan.At[strings.LastIndex(orphan.At, "/")+1:])
	}
}

func TestC21AnOrphanIsToldOnceForEachLineOfCode(t *testing.T) {
	o := &orphaned{}
	tr := New(Options{Observers: observe.Observers{o}})
	config := tr.Instrument(&rest.Config{Transport: handler(func(*http.Request) (*http.Response, error) { return answerOf(404, "{}"), nil })})
	client := versioned.NewForConfigOrDie(config).WardleV1beta1()
	call := func(ctx context.Context, name string) {
		_, _ = client.Flunders("n").Get(ctx, name, metav1.GetOptions{})
	}
	_, _, line, _ := runtime.Caller(0) // two lines below the call
	call(t.Context(), "before")
	tr.Begin(t.Context(), t.Context())
	call(work.NewContext(t.Context(), &work.Unit{}), "known")
	for i := range 3 {
		call(t.Context(), fmt.Sprint("p", i))
	}
	old := deprecated.NewForConfigOrDie(config).WardleV1beta1() //nolint:staticcheck // has context.TODO() in generated code
	_, _ = old.Flunders("n").Get("q", metav1.GetOptions{})      //nolint:govet,staticcheck // the same
	_, _, other, _ := runtime.Caller(0)                         // one line below the call
	want := fmt.Sprintf("get flunders.wardle.example.com n/p0 at orphans_test.go:%d, get flunders.wardle.example.com n/q at orphans_test.go:%d", line-2, other-1)
	if got := strings.Join(o.told, ", "); got != want {
		t.Errorf("told of %s, want %s", got, want)
	}
}

// TestC21ALineOfAGeneratedClientIsNotTheOneThatMakesTheCall has the folders in which generators write clients.
func TestC21ALineOfAGeneratedClientIsNotTheOneThatMakesTheCall(t *testing.T) {
	for file, want := range map[string]bool{
		"/src/shop/pkg/generated/clientset/versioned/typed/shop/v1/order.go": true,
		"/src/shop/client/versioned/typed/shop/v1/order.go":                  true,
		"/src/shop/pkg/typed/order.go":                                       false,
		"/src/shop/clientset/order_test.go":                                  false,
	} {
		if got := onTheWay(&runtime.Frame{Function: "shop.example.com/f", File: file}); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}

// TestC3AnOrphanIsNeverAliveAfterTheEnd looks at once: nothing is sent.
func TestC3AnOrphanIsNeverAliveAfterTheEnd(t *testing.T) {
	for range 200 {
		sent := false
		tr := New(Options{})
		client := clientOf(t, tr, &rest.Config{Transport: handler(func(*http.Request) (*http.Response, error) {
			sent = true
			return answerOf(200, "{}"), nil
		})})
		ctx, end := context.WithCancelCause(t.Context())
		tr.Begin(ctx, ctx)
		end(cause.Shutdown)
		for _, path := range []string{pods, "/api/v1/pods?watch=true"} {
			if _, err := client.Do(request(t, t.Context(), "GET", path)); !errors.Is(err, cause.Shutdown) || sent { //nolint:bodyclose // there is none
				t.Fatalf("it was sent (%v), with the error %v", sent, err)
			}
		}
	}
}

// TestACallThatOutlivesItsWorkEndsWithTheTransport has calls whose contexts have left the tree, on
// real connections.
func TestACallThatOutlivesItsWorkEndsWithTheTransport(t *testing.T) {
	s := newSecured(t)
	tr := New(Options{})
	client := clientOf(t, tr, s.withCertificate(t, "a"))
	ctx := context.WithoutCancel(work.NewContext(t.Context(), &work.Unit{Kind: report.Runnable}))
	watch := to(t, ctx, client, "GET", s.URL+"/api/v1/pods?watch=true") //nolint:bodyclose // the end of the manager closes it
	defer watch.Body.Close()
	errs := make(chan error, 2)
	go func() {
		_, err := watch.Body.Read(make([]byte, 1))
		errs <- err
	}()
	tr.Close()
	if err := <-errs; !errors.Is(err, ErrEnded) {
		t.Errorf("the watch ended with %v", err)
	}
	if _, err := client.Do(request(t, ctx, "GET", pods)); !errors.Is(err, ErrEnded) { //nolint:bodyclose // there is none
		t.Errorf("a call after the end returned %v", err)
	}
}
