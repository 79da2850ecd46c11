// SPDX-License-Identifier: Apache-2.0

package clientgo_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/clientgo"
)

// TestTheFactsAreOfThisClientGo fails when client-go is another: read the places that package clientgo and
// controller/internal/election/log.go name again, and then set clientgo.Version.
func TestTheFactsAreOfThisClientGo(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("the test has no build information")
	}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/client-go" && module.Version != clientgo.Version {
			t.Errorf("this is client-go %s, and the facts were read in %s: check with_retry.go, reflector.go "+
				"and leaderelection.go, then set clientgo.Version", module.Version, clientgo.Version)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// attempts makes a call whose first attempt is answered so, and returns how often it was sent and how long
// client-go waited. It runs in virtual time.
func attempts(t *testing.T, method string, first func(*http.Request) (*http.Response, error)) (n int, waited time.Duration) {
	t.Helper()
	var sent []time.Time
	config := &rest.Config{Host: "http://server.invalid", QPS: -1, Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, time.Now())
		if len(sent) == 1 {
			return first(req)
		}
		answer := httptest.NewRecorder()
		answer.Header().Set("Content-Type", "application/json")
		_, _ = answer.WriteString(`{"kind":"ConfigMap","apiVersion":"v1"}`)
		return answer.Result(), nil
	})}
	maps := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps("n")
	if method == http.MethodGet {
		_, _ = maps.Get(t.Context(), "a", metav1.GetOptions{})
	} else {
		_, _ = maps.Update(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.UpdateOptions{})
	}
	if len(sent) > 1 {
		waited = sent[1].Sub(sent[0])
	}
	return len(sent), waited
}

func TestClientGoRetriesAfterTheseResponses(t *testing.T) {
	for code, retryAfter := range map[int]string{429: "3", 500: "3", 503: "3", 409: "3", 404: "3", 504: ""} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			synctest.Test(t, func(t *testing.T) {
				var response *http.Response
				n, waited := attempts(t, method, func(*http.Request) (*http.Response, error) {
					answer := httptest.NewRecorder()
					if retryAfter != "" {
						answer.Header().Set("Retry-After", retryAfter)
					}
					answer.WriteHeader(code)
					response = answer.Result()
					return response, nil
				})
				wait, retries := clientgo.RetriesAfterResponse(response)
				if retries != (n > 1) || retries && wait != waited {
					t.Errorf("%s, %d, Retry-After %q: client-go sent it %d times and waited %v; the framework expects %v, %v",
						method, code, retryAfter, n, waited, retries, wait)
				}
			})
		}
	}
}

func TestClientGoRetriesAfterTheseErrors(t *testing.T) {
	for name, failure := range map[string]error{
		"reset": syscall.ECONNRESET, "refused": syscall.ECONNREFUSED, "lost": errors.New("http2: client connection lost"),
		"another": errors.New("no route"),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			synctest.Test(t, func(t *testing.T) {
				var request *http.Request
				n, waited := attempts(t, method, func(req *http.Request) (*http.Response, error) {
					request = req
					return nil, failure
				})
				wait, retries := clientgo.RetriesAfterError(request, failure)
				if retries != (n > 1) || retries && wait != waited {
					t.Errorf("%s, %s: client-go sent it %d times and waited %v; the framework expects %v, %v",
						method, name, n, waited, retries, wait)
				}
			})
		}
	}
}

// TestTheReflectorSleepsWithoutItsContextAfterARefusedStream is why WithoutSleep exists. If it fails,
// client-go looks at the context, and WithoutSleep can go.
func TestTheReflectorSleepsWithoutItsContextAfterARefusedStream(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		sleeps  bool
	}{
		"refused, as it comes":         {syscall.ECONNREFUSED, true},
		"refused, after WithoutSleep":  {withoutSleep(syscall.ECONNREFUSED), false},
		"too busy, after WithoutSleep": {tooBusy(), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var lists atomic.Int32
				source := &cache.ListWatch{
					ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
						lists.Add(1)
						return nil, errors.New("not now")
					},
					WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
						return nil, test.failure
					},
				}
				informer := cache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, cache.Indexers{})
				// client-go's own handler limits itself by the time of the whole process.
				if err := informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() { defer close(done); informer.RunWithContext(ctx) }()
				synctest.Wait()
				cancel()
				ended := time.Now()
				<-done
				if slept := time.Since(ended) > 0; slept != test.sleeps || test.sleeps == (lists.Load() > 0) {
					t.Errorf("it returned %v after the end of its context, having listed %d times", time.Since(ended), lists.Load())
				}
			})
		})
	}
}

func withoutSleep(err error) error {
	_, err = clientgo.WithoutSleep(nil, err) //nolint:bodyclose // there is no response
	return err
}

func tooBusy() error {
	answer := httptest.NewRecorder()
	answer.WriteHeader(http.StatusTooManyRequests)
	_, err := clientgo.WithoutSleep(answer.Result(), nil) //nolint:bodyclose // it has none
	return err
}

func TestOnlyAWatchThatBeginsWithAListIsStreamed(t *testing.T) {
	for _, streamed := range []bool{true, false} {
		url := "http://server.invalid/api/v1/pods?watch=true&sendInitialEvents=" + strconv.FormatBool(streamed)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := clientgo.StreamsList(req); got != streamed {
			t.Errorf("%s: %v", url, got)
		}
	}
}
