// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller/internal/dryrun"
	"github.com/lanyard-k8s/lanyard/controller/plan"
)

// answers answers each call with what is given for it, and a GET with 404 where nothing is.
type answers map[string]string

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	code, body, found := strings.Cut(a[req.Method+" "+req.URL.Path], " ")
	status := map[string]int{"200": 200, "201": 201, "403": 403, "404": 404, "409": 409, "500": 500}[code]
	if !found {
		status, body = http.StatusNotFound, `{"kind":"Status","code":404,"reason":"NotFound"}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req,
	}, nil
}

// planOf makes calls, such as "PUT /api/...", and returns the plan.
func planOf(t *testing.T, a answers, calls ...string) *plan.Plan {
	t.Helper()
	recorder := dryrun.New(func() []*runtime.Scheme { return nil })
	below := recorder.RoundTripper("https://api.example.com")(a)
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "https://api.example.com"+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := below.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if _, want, _ := strings.Cut(a[call], " "); err != nil || want != "" && string(body) != want {
			t.Errorf("%s: the caller reads %q, %v", call, body, err)
		}
		_ = resp.Body.Close()
	}
	return recorder.Plan()
}

const (
	maps       = "/api/v1/namespaces/n/configmaps"
	deployment = "/apis/apps/v1/namespaces/n/deployments/d"
)

func TestC33APlanHasWhatEachCallWouldChange(t *testing.T) {
	for name, c := range map[string]struct {
		answers answers
		calls   []string
		want    string
	}{
		"a create": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a"},"data":{"k":"v"}}`},
			[]string{"POST " + maps}, "create ConfigMap configmaps n/a [data.k] x1",
		},
		"a create of a name that the API server makes up, twice": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a-x1","generateName":"a-"},"data":{"k":"v"}}`},
			[]string{"POST " + maps, "POST " + maps}, "create ConfigMap configmaps n/a- [data.k] x2",
		},
		"an update": {
			answers{"GET " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"v","same":"s"}}`, "PUT " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"w","same":"s"}}`},
			[]string{"PUT " + maps + "/a"}, "update ConfigMap configmaps n/a [data.k] x1",
		},
		"an update by an account that may list, and not get": {
			answers{
				"GET " + maps + "/a": `403 {"kind":"Status","code":403}`,
				"GET " + maps:        `200 {"kind":"ConfigMapList","items":[{"kind":"ConfigMap","data":{"k":"v","same":"s"}}]}`,
				"PUT " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"w","same":"s"}}`,
			},
			[]string{"PUT " + maps + "/a"}, "update ConfigMap configmaps n/a [data.k] x1",
		},
		"an update that changes nothing": {
			answers{"GET " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"v"}}`, "PUT " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"v"}}`},
			[]string{"PUT " + maps + "/a"}, "",
		},
		"an update of what may not be read": {
			answers{"PUT " + maps + "/a": `200 {"kind":"ConfigMap","data":{"k":"w"}}`},
			[]string{"PUT " + maps + "/a"}, "update ConfigMap configmaps n/a unread x1",
		},
		"an apply that makes the object": {
			answers{"PATCH " + maps + "/a": `201 {"kind":"ConfigMap","data":{"k":"w"}}`},
			[]string{"PATCH " + maps + "/a"}, "create ConfigMap configmaps n/a [data.k] x1",
		},
		"an update of a status, which is a part of the object": {
			answers{
				"GET " + deployment:             `200 {"kind":"Deployment","spec":{"replicas":1},"status":{"replicas":1}}`,
				"PUT " + deployment + "/status": `200 {"kind":"Deployment","spec":{"replicas":1},"status":{"replicas":2}}`,
			},
			[]string{"PUT " + deployment + "/status"}, "update Deployment deployments/status n/d [status.replicas] x1",
		},
		"an update of a scale, which is an object of its own": {
			answers{
				"GET " + deployment:            `200 {"kind":"Deployment","spec":{"replicas":1,"paused":true}}`,
				"GET " + deployment + "/scale": `200 {"kind":"Scale","spec":{"replicas":1}}`,
				"PUT " + deployment + "/scale": `200 {"kind":"Scale","spec":{"replicas":2}}`,
			},
			[]string{"PUT " + deployment + "/scale"}, "update Scale deployments/scale n/d [spec.replicas] x1",
		},
		"an eviction, which answers with a status": {
			answers{"POST /api/v1/namespaces/n/pods/p/eviction": `201 {"kind":"Status","status":"Success"}`},
			[]string{"POST /api/v1/namespaces/n/pods/p/eviction"}, "create pods/eviction n/p [] x1",
		},
		"a deletion": {
			answers{"DELETE " + maps + "/a": `200 {"kind":"Status","status":"Success"}`},
			[]string{"DELETE " + maps + "/a"}, "delete configmaps n/a x1",
		},
		"a deletion of a collection": {
			answers{"DELETE " + maps: `200 {"kind":"ConfigMapList","items":[{"metadata":{"namespace":"n","name":"a"}},{"metadata":{"namespace":"n","name":"b"}}]}`},
			[]string{"DELETE " + maps}, "delete configmaps n/a x1, delete configmaps n/b x1",
		},
		"a deletion of a collection that nobody can read": {
			answers{"DELETE " + maps: `200 no JSON`},
			[]string{"DELETE " + maps}, "delete configmaps n/ unread x1",
		},
		"events, reviews and reads": {
			answers{
				"POST /api/v1/namespaces/n/events":                            `201 {"kind":"Event"}`,
				"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews": `201 {"kind":"SelfSubjectAccessReview"}`,
				"GET " + maps: `200 {"kind":"ConfigMapList"}`,
			},
			[]string{"POST /api/v1/namespaces/n/events", "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "GET " + maps}, "",
		},
		"what was refused": {
			answers{"PUT " + maps + "/a": `409 {"kind":"Status","reason":"Conflict"}`, "DELETE " + maps + "/b": `500 {"kind":"Status"}`},
			[]string{"PUT " + maps + "/a", "DELETE " + maps + "/b"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := planOf(t, c.answers, c.calls...)
			if got := changes(made); got != c.want || len(made.Failures)+len(made.Stops) > 0 {
				t.Errorf("the plan has %q, %v, %v; want %q", got, made.Failures, made.Stops, c.want)
			}
		})
	}
}

func TestC33ACallThatFailsBecauseAnEarlierWriteWasNotMadeIsNamed(t *testing.T) {
	created := `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a"}}`
	for name, c := range map[string]struct {
		answers answers
		calls   []string
		want    string // of the only stop: the call, and the write that was not made
	}{
		"what would have been created is not found": {
			answers{"POST " + maps: created}, []string{"POST " + maps, "PUT " + maps + "/a"}, "update configmaps n/a: create configmaps n/a",
		},
		"it has a generated name": {
			answers{"POST " + maps: `201 {"kind":"ConfigMap","metadata":{"namespace":"n","name":"a-x1","generateName":"a-"}}`},
			[]string{"POST " + maps, "DELETE " + maps + "/a-x1"}, "delete configmaps n/a-x1: create configmaps n/a-",
		},
		"its namespace would have been created": {
			answers{"POST /api/v1/namespaces": `201 {"kind":"Namespace","metadata":{"name":"n"}}`},
			[]string{"POST /api/v1/namespaces", "POST " + maps}, "create configmaps n/: create namespaces /n",
		},
		"what would have been deleted is there": {
			answers{"DELETE " + maps + "/a": `200 {"kind":"Status"}`, "POST " + maps: `409 {"kind":"Status","reason":"AlreadyExists","details":{"name":"a"}}`},
			[]string{"DELETE " + maps + "/a", "POST " + maps}, "create configmaps n/a: delete configmaps n/a",
		},
		"what would have been evicted is there": {
			answers{
				"POST /api/v1/namespaces/n/pods/p/eviction": `201 {"kind":"Status"}`,
				"POST /api/v1/namespaces/n/pods":            `409 {"kind":"Status","reason":"AlreadyExists","details":{"name":"p"}}`,
			},
			[]string{"POST /api/v1/namespaces/n/pods/p/eviction", "POST /api/v1/namespaces/n/pods"}, "create pods n/p: delete pods n/p",
		},
		"a conflict": {
			answers{"POST " + maps: created, "PUT " + maps + "/a": `409 {"kind":"Status","reason":"Conflict"}`},
			[]string{"POST " + maps, "PUT " + maps + "/a"}, "",
		},
		"what nobody would have created": {answers{}, []string{"PUT " + maps + "/b"}, ""},
		"a look that finds nothing":      {answers{"POST " + maps: created}, []string{"POST " + maps, "GET " + maps}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, stop := range planOf(t, c.answers, c.calls...).Stops {
				action := string(stop.Action)
				if stop.Of.Subresource != "" {
					t.Errorf("the write that was not made is of %s", stop.Of)
				}
				got = append(got, stop.Verb+" "+stop.Object.Resource+" "+stop.Object.Namespace+"/"+stop.Object.Name+": "+
					action+" "+stop.Of.Resource+" "+stop.Of.Namespace+"/"+stop.Of.Name+stop.Of.GenerateName)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("the plan stops at %q, want %q", got, c.want)
			}
		})
	}
}

// changes are the changes of a plan in short.
func changes(p *plan.Plan) string {
	var all []string
	for _, c := range p.Changes {
		words := []string{string(c.Action)}
		if c.Object.Kind != "" {
			words = append(words, c.Object.Kind)
		}
		resource := c.Object.Resource
		if c.Object.Subresource != "" {
			resource += "/" + c.Object.Subresource
		}
		words = append(words, resource, c.Object.Namespace+"/"+c.Object.Name+c.Object.GenerateName)
		var paths []string
		for _, f := range c.Fields {
			paths = append(paths, f.Path)
		}
		switch {
		case c.Unread:
			words = append(words, "unread")
		case c.Action != plan.Delete:
			words = append(words, "["+strings.Join(paths, " ")+"]")
		}
		all = append(all, strings.Join(append(words, "x"+string(rune('0'+c.Times))), " "))
	}
	return strings.Join(all, ", ")
}
