// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/rbac"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers each request with a status and a body.
type server struct {
	status int
	body   string
}

func (s server) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

// send sends a request and returns the body of its answer.
func send(ctx context.Context, t *testing.T, config *rest.Config, method, path string, header http.Header) string {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, method, config.Host+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func record(s server) (*rbac.Recorder, *rest.Config) {
	recorder := rbac.NewRecorder()
	return recorder, recorder.Config(&rest.Config{Host: "https://server.invalid", Transport: s})
}

// item is the context of the reconcile of an object in the namespace n.
func item(ctx context.Context, name string) context.Context {
	return work.NewContext(ctx, &work.Unit{
		Kind: report.Item, Owner: "flunder", Key: reconcile.Request{Namespace: "n", Name: name},
	})
}

func TestANameIsFixedIfItIsNotMadeFromTheObjectsThatAreReconciled(t *testing.T) {
	recorder, config := record(server{status: http.StatusOK})
	lead := work.NewContext(t.Context(), &work.Unit{Kind: report.Leadership, Owner: "sys/lock"})
	const own, other = "/api/v1/namespaces/n/configmaps/", "/api/v1/namespaces/sys/secrets/"
	send(lead, t, config, "GET", "/apis/coordination.k8s.io/v1/namespaces/sys/leases/lock", nil)
	for _, name := range []string{"a", "b"} {
		ctx := item(t.Context(), name)
		send(ctx, t, config, "GET", own+name+"-child", nil)
		send(ctx, t, config, "GET", own+"common", nil)
		send(ctx, t, config, "GET", other+"common", nil)
		send(ctx, t, config, "GET", other+"only-of-"+name, nil)
	}
	send(item(t.Context(), "b"), t, config, "GET", own+"a-child", nil) // as a sibling would
	send(item(t.Context(), "a"), t, config, "GET", other+"once", nil)
	want := rbac.Used{
		{Verb: "get", Resource: "configmaps", Namespace: "n", Name: "a-child", By: "controller flunder"},
		{Verb: "get", Resource: "configmaps", Namespace: "n", Name: "b-child", By: "controller flunder"},
		{Verb: "get", Resource: "configmaps", Namespace: "n", Name: "common", By: "controller flunder", FixedName: true},
		{Verb: "get", Resource: "secrets", Namespace: "sys", Name: "common", By: "controller flunder", FixedNamespace: true, FixedName: true},
		{Verb: "get", Resource: "secrets", Namespace: "sys", Name: "once", By: "controller flunder"},
		{Verb: "get", Resource: "secrets", Namespace: "sys", Name: "only-of-a", By: "controller flunder"},
		{Verb: "get", Resource: "secrets", Namespace: "sys", Name: "only-of-b", By: "controller flunder"},
		{Verb: "get", Group: "coordination.k8s.io", Resource: "leases", Namespace: "sys", Name: "lock", By: "leadership sys/lock", FixedNamespace: true, FixedName: true},
	}
	if diff := cmp.Diff(want, recorder.Used()); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamedListIsAListToo(t *testing.T) {
	recorder, config := record(server{status: http.StatusOK})
	send(t.Context(), t, config, "GET", "/api/v1/pods?watch=true&sendInitialEvents=true", nil)
	want := rbac.Used{{Verb: "list", Resource: "pods"}, {Verb: "watch", Resource: "pods"}}
	if diff := cmp.Diff(want, recorder.Used()); diff != "" {
		t.Error(diff)
	}
}

func TestTheMemoryOfARecorderIsBounded(t *testing.T) {
	recorder, config := record(server{status: http.StatusOK})
	for i := range 300 {
		send(t.Context(), t, config, "GET", fmt.Sprintf("/api/v1/namespaces/n%d/pods/p%d", i/100, i), nil)
	}
	for i := range 300 {
		send(t.Context(), t, config, "GET", fmt.Sprintf("/api/v1/namespaces/m%d/pods/p", i), nil)
	}
	used := recorder.Used()
	if len(used) > 100 {
		t.Errorf("there are %d uses", len(used))
	}
	seen := map[string]bool{}
	for _, use := range used {
		seen[use.Namespace+"/"+use.Name] = true
		if use.FixedName && use.Name == rbac.Any || use.FixedNamespace && use.Namespace == rbac.Any {
			t.Errorf("%v is fixed", use)
		}
	}
	if !seen["n0/"+rbac.Any] || !seen[rbac.Any+"/"+rbac.Any] {
		t.Errorf("the uses are %v", used)
	}
	roles := used.Roles(rbac.RoleOptions{Name: "r"})
	if len(roles.ClusterRoles) != 1 || len(roles.ClusterRoles[0].Rules[0].ResourceNames) != 0 {
		t.Errorf("the roles are %+v", roles)
	}
}

func TestThePathOfAProxyIsNotTheAPIServers(t *testing.T) {
	recorder := rbac.NewRecorder()
	config := recorder.Config(&rest.Config{
		Host: "https://gateway.invalid/clusters/api/c1/", Transport: server{status: http.StatusOK},
	})
	config.Host = strings.TrimSuffix(config.Host, "/")
	send(t.Context(), t, config, "GET", "/api/v1/namespaces/n/pods/p", nil)
	send(t.Context(), t, config, "GET", "/metrics", nil)
	want := rbac.Used{
		{Verb: "get", Resource: "pods", Namespace: "n", Name: "p", FixedNamespace: true, FixedName: true},
		{Verb: "get", Path: "/metrics"},
	}
	if diff := cmp.Diff(want, recorder.Used()); diff != "" {
		t.Error(diff)
	}
}

func TestAsAnotherUserOnlyToBeThatUserIsUsed(t *testing.T) {
	recorder, config := record(server{status: http.StatusOK})
	send(t.Context(), t, config, "DELETE", "/api/v1/namespaces/n/pods/p", http.Header{
		"Impersonate-User": {"system:serviceaccount:ns:sa"}, "Impersonate-Group": {"g1", "g2"},
		"Impersonate-Uid": {"u"}, "Impersonate-Extra-Example.com%2fteam": {"red"},
	})
	send(t.Context(), t, config, "GET", "/api/v1/pods", http.Header{"Impersonate-User": {"jane"}})
	var got []string
	for _, use := range recorder.Used() {
		got = append(got, use.String())
	}
	want := []string{
		"impersonate groups (g1)", "impersonate groups (g2)", "impersonate serviceaccounts in ns (sa)",
		"impersonate users (jane)", "impersonate uids.authentication.k8s.io (u)",
		"impersonate userextras.authentication.k8s.io/example.com/team (red)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheAuthorizersRefusalsAreRefusals(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"pods \"p\" is forbidden: User \"u\" cannot patch resource \"pods\" in API group \"\""}`: "patch pods",
		`{"message":"pods \"p\" is forbidden: User \"u\" cannot create resource \"pods\""}`:                  "create pods",
		`{"message":"pods \"p\" is forbidden: exceeded quota: q"}`:                                           "",
		`{"message":"you cannot patch that on a Friday"}`:                                                    "",
	} {
		recorder, config := record(server{http.StatusForbidden, body})
		read := send(t.Context(), t, config, "PATCH", "/api/v1/namespaces/n/pods/p", nil)
		if read != body {
			t.Errorf("the caller has read %q", read)
		}
		got := ""
		for _, use := range recorder.Used() {
			if use.Refused {
				got += use.Verb + " " + use.Resource
			}
		}
		if got != want {
			t.Errorf("%s: refused %q, want %q", body, got, want)
		}
	}
	recorder, config := record(server{http.StatusOK, "a note on who cannot patch resource after resource"})
	send(t.Context(), t, config, "PATCH", "/api/v1/namespaces/n/pods/p", nil)
	if used := recorder.Used(); len(used) != 1 || used[0].Refused {
		t.Errorf("an answer of 200 is a refusal: %+v", used)
	}
}

func TestRecordingsAreMergedThroughJSON(t *testing.T) {
	a, config := record(server{status: http.StatusOK})
	send(item(t.Context(), "a"), t, config, "GET", "/api/v1/namespaces/n/pods/p", nil)
	b, config := record(server{status: http.StatusCreated})
	send(t.Context(), t, config, "GET", "/api/v1/namespaces/n/pods/p", nil)
	send(t.Context(), t, config, "PATCH", "/api/v1/namespaces/n/pods/p", nil)
	content, err := json.Marshal(a.Used())
	if err != nil {
		t.Fatal(err)
	}
	var read rbac.Used
	if err := json.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	fixed := rbac.Use{Resource: "pods", Namespace: "n", Name: "p", FixedNamespace: true, FixedName: true}
	create, get, patch := fixed, fixed, fixed
	create.Verb, get.Verb, patch.Verb = "create", "get", "patch"
	get.By = "controller flunder"
	for _, merged := range []rbac.Used{rbac.Merge(b.Used(), read), rbac.Merge(read, b.Used())} {
		if diff := cmp.Diff(rbac.Used{create, get, patch}, merged); diff != "" {
			t.Error(diff)
		}
	}
}

// TestAUseThatWasRecordedNeedsNoStatement, and one that is stated twice has the first reason.
func TestAUseThatWasRecordedNeedsNoStatement(t *testing.T) {
	get := use("get", "", "pods", "n", "p")
	recorded, stated := rbac.Used{get}, rbac.Used{}.Also("not in a test", get)
	for name, merged := range map[string]rbac.Used{
		"stated after it was recorded":  recorded.Also("not in a test", get),
		"recorded after it was stated":  rbac.Merge(stated, recorded),
		"stated, recorded, and merged":  rbac.Merge(stated, recorded, stated),
		"recorded twice":                rbac.Merge(recorded, recorded),
		"stated after both were merged": rbac.Merge(recorded, stated).Also("again", get),
	} {
		if diff := cmp.Diff(recorded, merged); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff(stated, stated.Also("again", get)); diff != "" {
		t.Errorf("stated twice: %s", diff)
	}
}
