// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/lanyard-k8s/lanyard/controller/internal/dryrun"
	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// reconciling is a program that makes calls in reconciles.
type reconciling struct {
	*testing.T
	recorder *dryrun.Recorder
	below    http.RoundTripper
}

func reconciler(t *testing.T, a http.RoundTripper) *reconciling {
	recorder := dryrun.New(func() []*runtime.Scheme { return []*runtime.Scheme{scheme.Scheme} })
	return &reconciling{t, recorder, recorder.RoundTripper("https://api.example.com")(a)}
}

// reconcile makes calls in a reconcile of an object, which ends with an outcome and an error.
func (r *reconciling) reconcile(name string, outcome reconcile.Outcome, end error, calls ...string) {
	r.Helper()
	item := &observe.Item{
		Unit:    work.Unit{Kind: report.Item, Owner: "c", Key: reconcile.Request{Namespace: "n", Name: name}},
		Outcome: outcome, Err: end,
	}
	ctx := work.NewContext(r.Context(), &item.Unit)
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		req, err := http.NewRequestWithContext(ctx, method, "https://api.example.com"+path, strings.NewReader("{}"))
		if err != nil {
			r.Fatal(err)
		}
		if resp, err := r.below.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	r.recorder.ItemEnded(ctx, item)
}

func TestC33HowAReconcileEndsIsInThePlanOnce(t *testing.T) {
	noNamespace := apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "a")
	hook := `500 {"kind":"Status","message":"admission webhook \"w.example.com\" does not support dry run"}`
	for name, c := range map[string]struct {
		answers answers
		play    func(r *reconciling)
		want    string
	}{
		"well": {nil, func(r *reconciling) { r.reconcile("x", reconcile.Done, nil) }, "1 reconciles"},
		"cancelled: it is made again": {nil, func(r *reconciling) {
			r.reconcile("x", reconcile.Cancelled, errors.New("the end"))
		}, "0 reconciles"},
		"with the same error in each round": {nil, func(r *reconciling) {
			r.reconcile("x", reconcile.Retried, errors.New("no"))
			r.reconcile("x", reconcile.Retried, errors.New("no"))
			r.reconcile("y", reconcile.Retried, errors.New("no"))
		}, "3 reconciles; fails c n/x: no; fails c n/y: no"},
		"with another error": {nil, func(r *reconciling) {
			r.reconcile("x", reconcile.Retried, errors.New("no"))
			r.reconcile("x", reconcile.Retried, errors.New("not at all"))
		}, "2 reconciles; fails c n/x: no; fails c n/x: not at all"},
		"because of a webhook": {answers{"POST " + maps: hook}, func(r *reconciling) {
			err := fmt.Errorf("make it: %w", errors.New(`admission webhook "w.example.com" does not support dry run`))
			r.reconcile("x", reconcile.Retried, err, "POST "+maps)
			r.reconcile("x", reconcile.Retried, err, "POST "+maps)
		}, "2 reconciles; fails c n/x: make it: admission webhook \"w.example.com\" does not support dry run"},
		"because an earlier write was not made": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a"}}`},
			func(r *reconciling) {
				for range 2 {
					r.reconcile("x", reconcile.Retried, noNamespace, "POST "+maps, "PUT "+maps+"/a")
				}
			}, "2 reconciles; changes create n/a; stops c n/x at update: configmaps \"a\" not found",
		},
		"because an earlier write was not made, and then in another way": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a"}}`},
			func(r *reconciling) {
				r.reconcile("x", reconcile.Retried, apierrors.NewForbidden(schema.GroupResource{}, "", nil), "POST "+maps, "PUT "+maps+"/a")
			}, "1 reconciles; changes create n/a; stops c n/x at update: <nil>; fails c n/x: forbidden: <nil>",
		},
		"because a cache does not show what was not made": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a"}}`},
			func(r *reconciling) { r.reconcile("x", reconcile.Retried, noNamespace, "POST "+maps) },
			"1 reconciles; changes create n/a; stops c n/x at : configmaps \"a\" not found",
		},
		"because a cache does not show what nobody would have made": {nil, func(r *reconciling) {
			r.reconcile("x", reconcile.Retried, noNamespace)
		}, "1 reconciles; fails c n/x: configmaps \"a\" not found"},
	} {
		t.Run(name, func(t *testing.T) {
			r := reconciler(t, c.answers)
			c.play(r)
			if got := inShort(r.recorder.Plan()); got != c.want {
				t.Errorf("the plan is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func inShort(p *plan.Plan) string {
	words := []string{fmt.Sprint(p.Reconciles, " reconciles")}
	for _, c := range p.Changes {
		words = append(words, fmt.Sprintf("changes %s %s/%s", c.Action, c.Object.Namespace, c.Object.Name))
	}
	for _, s := range p.Stops {
		words = append(words, fmt.Sprintf("stops %s at %s: %v", s.Author, s.Verb, s.Err))
	}
	for _, f := range p.Failures {
		words = append(words, fmt.Sprintf("fails %s: %v", f.Author, f.Err))
	}
	return strings.Join(words, "; ")
}

// encoded answers with an object in an encoding.
type encoded struct {
	mediaType string
	objects   map[string]runtime.Object // by method and path
}

func (e encoded) RoundTrip(req *http.Request) (*http.Response, error) {
	info, _ := runtime.SerializerInfoForMediaType(serializer.NewCodecFactory(scheme.Scheme, serializer.WithSerializer(cbor.NewSerializerInfo)).SupportedMediaTypes(), e.mediaType)
	body, err := runtime.Encode(info.Serializer, e.objects[req.Method+" "+req.URL.Path])
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {e.mediaType}}, Body: io.NopCloser(strings.NewReader(string(body))), Request: req,
	}, err
}

func TestC33AnAnswerIsReadInEachEncoding(t *testing.T) {
	object := func(value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "a"}, Data: map[string]string{"k": value},
		}
	}
	list := &corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}, Items: []corev1.ConfigMap{*object("v")}}
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR} {
		r := reconciler(t, encoded{mediaType, map[string]runtime.Object{
			"GET " + maps + "/a": object("v"), "PUT " + maps + "/a": object("w"), "DELETE " + maps: list,
		}})
		r.reconcile("x", reconcile.Done, nil, "PUT "+maps+"/a", "DELETE "+maps)
		if got, want := changes(r.recorder.Plan()), "update ConfigMap configmaps n/a [data.k] x1, delete configmaps n/a x1"; got != want {
			t.Errorf("%s: the plan has %q, want %q", mediaType, got, want)
		}
	}
	// A kind that no scheme has.
	r := reconciler(t, answers{"PUT " + maps + "/a": "200 k8s\x00bad", "DELETE " + maps: "200 k8s\x00bad"})
	r.reconcile("x", reconcile.Done, nil, "PUT "+maps+"/a", "DELETE "+maps)
	if got, want := changes(r.recorder.Plan()), "update configmaps n/a unread x1, delete configmaps n/ unread x1"; got != want {
		t.Errorf("the plan has %q, want %q", got, want)
	}
}
