// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
)

// odd is an API server of ConfigMaps that answers writes as a test says. Its cache sees what the test shows.
type odd struct {
	listed []corev1.ConfigMap // by the informer
	at     string             // the version of that list
	// found is what a look-up finds, or its failure. Nil: it is never answered.
	found func() ([]corev1.ConfigMap, *metav1.Status)
	// write answers a write.
	write func(*http.Request) any

	events chan string

	mu      sync.Mutex
	lookups []string // their field selectors
}

// RoundTrip answers a request.
func (o *odd) RoundTrip(req *http.Request) (*http.Response, error) {
	query := req.URL.Query()
	switch {
	case query.Get("sendInitialEvents") != "":
		return o.answer(req, &metav1.Status{Code: http.StatusBadRequest, Reason: metav1.StatusReasonBadRequest})
	case query.Get("watch") != "":
		return o.watch(req), nil
	case req.Method != http.MethodGet:
		return o.answer(req, o.write(req))
	case query.Get("limit") == "" && query.Get("resourceVersion") == "":
		o.mu.Lock()
		o.lookups = append(o.lookups, query.Get("fieldSelector"))
		o.mu.Unlock()
		if o.found == nil {
			return untilCancelled{}.RoundTrip(req)
		}
		found, failed := o.found()
		if failed != nil {
			return o.answer(req, failed)
		}
		return o.answer(req, &corev1.ConfigMapList{Items: found})
	}
	return o.answer(req, &corev1.ConfigMapList{
		TypeMeta: metav1.TypeMeta{Kind: "ConfigMapList", APIVersion: "v1"}, ListMeta: metav1.ListMeta{ResourceVersion: o.at}, Items: o.listed,
	})
}

func (o *odd) answer(req *http.Request, object any) (*http.Response, error) {
	code := http.StatusOK
	if status, ok := object.(*metav1.Status); ok {
		status.Kind, status.APIVersion = "Status", "v1"
		if status.Code != 0 {
			code = int(status.Code)
		}
	}
	body, err := json.Marshal(object)
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(body))), Request: req,
	}, err
}

func (o *odd) watch(req *http.Request) *http.Response {
	reader, writer := io.Pipe()
	go func() {
		for {
			select {
			case event := <-o.events:
				_, _ = io.WriteString(writer, event)
			case <-req.Context().Done():
				writer.CloseWithError(req.Context().Err())
				return
			}
		}
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: reader, Request: req}
}

// show lets the cache see an event.
func (o *odd) show(event string, object *corev1.ConfigMap) {
	body, _ := json.Marshal(map[string]any{"type": event, "object": object})
	o.events <- string(body)
	synctest.Wait()
}

// version is the ConfigMap a, with that UID, at a version.
func version(uid types.UID, at string) *corev1.ConfigMap {
	cm := configMap("a")
	cm.TypeMeta = metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"}
	cm.UID, cm.ResourceVersion = uid, at
	return cm
}

// versions is a program that writes the ConfigMap a, at the first reconcile, and asks for another after a
// second.
type versions struct {
	*running
	api *odd

	mu         sync.Mutex
	reconciles []time.Duration // since the start
}

// began notes a reconcile, and reports whether it is the first one.
func (v *versions) began(since time.Duration) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reconciles = append(v.reconciles, since)
	return len(v.reconciles) == 1
}

const longest = 20 * time.Second // may an item of versions take, which is less than a call may

func startVersions(t *testing.T, api *odd, write func(context.Context, kubernetes.Interface) error) *versions {
	t.Helper()
	api.events = make(chan string)
	m := managerOf(&rest.Config{Host: "http://unused.invalid", QPS: -1, Transport: api}, controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config())
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default")))
	v := &versions{api: api}
	began := time.Now()
	reconciled := func(ctx context.Context) controller.Result {
		if !v.began(time.Since(began)) {
			return controller.Result{}
		}
		_ = write(ctx, client)
		return controller.Result{RequeueAfter: time.Second}
	}
	controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) { return reconciled(ctx), nil },
		controller.Options{Timeout: longest, OnDeleted: func(ctx context.Context, _ controller.Request) (controller.Result, error) {
			return reconciled(ctx), nil
		}})
	v.running = start(t, t.Context(), m)
	synctest.Wait()
	return v
}

// times checks how often a has been reconciled so far.
func (v *versions) times(t *testing.T, when string, n int) {
	t.Helper()
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.reconciles) != n {
		t.Fatalf("%s there were reconciles after %v, not %d of them\n%s", when, v.reconciles, n, v.log)
	}
}

// told checks the log.
func (v *versions) told(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(v.log.String(), part) {
			t.Errorf("no %q in:\n%s", part, v.log)
		}
	}
}

const given = "Caches have not shown what earlier reconciles have written"

func patched(ctx context.Context, client kubernetes.Interface) error {
	_, err := client.CoreV1().ConfigMaps("default").Patch(ctx, "a", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	return err
}

func answeringWith(object any) func(*http.Request) any {
	return func(*http.Request) any { return object }
}

// TestC19AVersionThatIsNoNumberIsWaitedForUntilAnEventHasIt, as an aggregated API server may have it.
func TestC19AVersionThatIsNoNumberIsWaitedForUntilAnEventHasIt(t *testing.T) {
	for shown, enough := range map[string]bool{"hd": true, "ze": false, "": false} {
		t.Run("shown "+shown, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				v := startVersions(t, &odd{
					at: "ab", listed: []corev1.ConfigMap{*version("1", "ab")}, write: answeringWith(version("1", "hd")),
				}, patched)
				time.Sleep(longest / 2)
				v.times(t, "before the version is shown", 1)
				if shown != "" {
					v.api.show("MODIFIED", version("1", shown))
				}
				if enough {
					v.times(t, "after the version was shown", 2)
					return
				}
				v.times(t, "after another version was shown", 1)
				time.Sleep(longest)
				v.times(t, "after the time of the item", 2)
				v.told(t, given, "default/a at version hd")
			})
		})
	}
}

// TestC19OfTwoVersionsThatAreNoNumbersTheLastCounts.
func TestC19OfTwoVersionsThatAreNoNumbersTheLastCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		answers := []string{"hd", "aa"}
		v := startVersions(t, &odd{
			at: "ab", listed: []corev1.ConfigMap{*version("1", "ab")},
			write: func(*http.Request) any {
				next := answers[0]
				answers = answers[1:]
				return version("1", next)
			},
		}, func(ctx context.Context, client kubernetes.Interface) error {
			_ = patched(ctx, client)
			return patched(ctx, client)
		})
		v.api.show("MODIFIED", version("1", "hd"))
		time.Sleep(longest / 2)
		v.times(t, "after the first version was shown", 1)
		v.api.show("MODIFIED", version("1", "aa"))
		v.times(t, "after the second version was shown", 2)
	})
}

// TestC19AWriteThatRunsBackwardsIsLookedUpAndTold: it is answered by another cluster, whose versions are lower.
func TestC19AWriteThatRunsBackwardsIsLookedUpAndTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := startVersions(t, &odd{
			at: "1000", listed: []corev1.ConfigMap{*version("1", "1000")}, write: answeringWith(version("2", "7")),
			found: func() ([]corev1.ConfigMap, *metav1.Status) { return []corev1.ConfigMap{*version("1", "1001")}, nil },
		}, patched)
		time.Sleep(2 * time.Second)
		v.times(t, "before the cache shows what the look-up has found", 1)
		v.told(t, "is the answer from another cluster", "version=7", "cached=1000")
		if got := fmt.Sprint(v.api.lookups); got != "[metadata.name=a]" {
			t.Errorf("looked up: %s", got)
		}
		v.api.show("MODIFIED", version("1", "1001"))
		v.times(t, "after that", 2)
	})
}

// TestC19AWriteThatRunsFarAheadIsGivenUp: it is answered by another cluster, whose versions are higher.
func TestC19AWriteThatRunsFarAheadIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		v := startVersions(t, &odd{
			at: "7", listed: []corev1.ConfigMap{*version("1", "7")}, write: answeringWith(version("2", "1000")),
		}, patched)
		v.api.show("MODIFIED", version("1", "8"))
		v.times(t, "early", 1)
		time.Sleep(longest)
		v.times(t, "after the time of the item", 2)
		v.told(t, given, "default/a at version 1000")
	})
}

// TestC19ALookUpThatFailsForEverIsGivenUp: the item's account may not list, or the API server does not answer.
func TestC19ALookUpThatFailsForEverIsGivenUp(t *testing.T) {
	for name, found := range map[string]func() ([]corev1.ConfigMap, *metav1.Status){
		"forbidden": func() ([]corev1.ConfigMap, *metav1.Status) {
			return nil, &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "you may not list"}
		},
		"no answer": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				v := startVersions(t, &odd{
					at: "7", listed: []corev1.ConfigMap{*version("1", "7")}, found: found,
					write: func(*http.Request) any { return &metav1.Status{Code: http.StatusBadGateway} },
				}, patched)
				time.Sleep(longest - time.Second)
				v.times(t, "early", 1)
				time.Sleep(3 * time.Second)
				v.times(t, "after the time of the item", 2)
				v.told(t, given, "whether a write of configmaps default/a was applied")
			})
		})
	}
}

// TestC19WhatACollectionHadMustBeGone, as far as the selector says that it was deleted.
func TestC19WhatACollectionHadMustBeGone(t *testing.T) {
	for name, test := range map[string]struct {
		options metav1.ListOptions
		answer  *metav1.Status
		waits   bool
	}{
		"deleted":                    {metav1.ListOptions{LabelSelector: "kind=child"}, &metav1.Status{Status: metav1.StatusSuccess}, true},
		"nobody knows":               {metav1.ListOptions{LabelSelector: "kind=child"}, &metav1.Status{Code: http.StatusBadGateway}, true},
		"all of them":                {metav1.ListOptions{}, &metav1.Status{Status: metav1.StatusSuccess}, true},
		"others":                     {metav1.ListOptions{LabelSelector: "kind=parent"}, &metav1.Status{Status: metav1.StatusSuccess}, false},
		"which, only the API server": {metav1.ListOptions{FieldSelector: "metadata.name!=b"}, &metav1.Status{Status: metav1.StatusSuccess}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				child := version("1", "7")
				child.Labels = map[string]string{"kind": "child"}
				v := startVersions(t, &odd{
					at: "7", listed: []corev1.ConfigMap{*child}, write: answeringWith(test.answer),
					found: func() ([]corev1.ConfigMap, *metav1.Status) { return nil, nil },
				}, func(ctx context.Context, client kubernetes.Interface) error {
					return client.CoreV1().ConfigMaps("default").DeleteCollection(ctx, metav1.DeleteOptions{}, test.options)
				})
				time.Sleep(5 * time.Second)
				v.times(t, "before the event", map[bool]int{true: 1, false: 2}[test.waits])
				gone := child.DeepCopy()
				gone.ResourceVersion = "8"
				v.api.show("DELETED", gone)
				v.times(t, "after the event", map[bool]int{true: 2, false: 3}[test.waits])
			})
		})
	}
}

// TestC19WhatNoCacheHasIsNotWaitedFor: objects of a resource, and those of a namespace.
func TestC19WhatNoCacheHasIsNotWaitedFor(t *testing.T) {
	for what, create := range map[string]func(context.Context, kubernetes.Interface) error{
		"a resource": func(ctx context.Context, client kubernetes.Interface) error {
			_, err := client.CoreV1().Secrets("default").Create(ctx, &corev1.Secret{}, metav1.CreateOptions{})
			return err
		},
		"a namespace": func(ctx context.Context, client kubernetes.Interface) error {
			_, err := client.CoreV1().ConfigMaps("other").Create(ctx, &corev1.ConfigMap{}, metav1.CreateOptions{})
			return err
		},
	} {
		for how, answer := range map[string]any{
			"known":   &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "b", UID: "3", ResourceVersion: "9"}},
			"unknown": &metav1.Status{Code: http.StatusBadGateway},
		} {
			t.Run(what+", "+how, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					v := startVersions(t, &odd{
						at: "7", listed: []corev1.ConfigMap{*version("1", "7")}, write: answeringWith(answer),
					}, create)
					time.Sleep(time.Second)
					v.times(t, "after a second", 2)
					if len(v.api.lookups) > 0 {
						t.Errorf("looked up: %q", v.api.lookups)
					}
				})
			})
		}
	}
}

// TestC19AnObjectThatWasWrittenAndDeletedMustBeGone, and one that was deleted and made anew must be the new
// one.
func TestC19AnObjectThatWasWrittenAndDeletedMustBeGone(t *testing.T) {
	gone := &metav1.Status{Status: metav1.StatusSuccess, Details: &metav1.StatusDetails{Name: "a", Kind: "configmaps", UID: "1"}}
	deleted := func(ctx context.Context, client kubernetes.Interface) error {
		return client.CoreV1().ConfigMaps("default").Delete(ctx, "a", metav1.DeleteOptions{})
	}
	created := func(ctx context.Context, client kubernetes.Interface) error {
		_, err := client.CoreV1().ConfigMaps("default").Create(ctx, configMap("a"), metav1.CreateOptions{})
		return err
	}
	both := func(first, second func(context.Context, kubernetes.Interface) error) func(context.Context, kubernetes.Interface) error {
		return func(ctx context.Context, client kubernetes.Interface) error {
			_ = first(ctx, client)
			return second(ctx, client)
		}
	}
	type event struct {
		kind   string
		object *corev1.ConfigMap
	}
	for name, test := range map[string]struct {
		write  func(context.Context, kubernetes.Interface) error
		answer map[string]any // by method
		events []event        // the last one is what the cache must show
	}{
		"changed and deleted": {
			both(patched, deleted), map[string]any{http.MethodPatch: version("1", "8"), http.MethodDelete: gone},
			[]event{{"MODIFIED", version("1", "8")}, {"DELETED", version("1", "9")}},
		},
		"deleted and made anew": {
			both(deleted, created), map[string]any{http.MethodDelete: gone, http.MethodPost: version("2", "9")},
			[]event{{"DELETED", version("1", "8")}, {"ADDED", version("2", "9")}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				v := startVersions(t, &odd{
					at: "7", listed: []corev1.ConfigMap{*version("1", "7")},
					write: func(req *http.Request) any { return test.answer[req.Method] },
				}, test.write)
				for _, event := range test.events {
					time.Sleep(5 * time.Second)
					v.times(t, "before "+event.kind, 1)
					v.api.show(event.kind, event.object)
				}
				v.times(t, "after that", 2)
			})
		})
	}
}
