// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

func TestWhatTheAuthorizerIsAskedForARequest(t *testing.T) {
	const pod = "/api/v1/namespaces/n/pods/p"
	for request, want := range map[string]string{
		"GET /healthz":                          "get /healthz",
		"GET /apis":                             "get /apis",
		"GET " + pod:                            "get pods n/p",
		"GET " + pod + "/exec?command=ls":       "create pods/exec n/p, get pods/exec n/p",
		"GET " + pod + "/attach":                "create pods/attach n/p, get pods/attach n/p",
		"GET " + pod + "/portforward":           "create pods/portforward n/p, get pods/portforward n/p",
		"GET " + pod + "/log":                   "get pods/log n/p",
		"POST " + pod + "/eviction":             "create pods/eviction n/p",
		"GET /api/v1/pods?limit=5":              "list pods /",
		"GET /api/v1/namespaces/x":              "get namespaces x/x",
		"DELETE /api/v1/namespaces/n/pods":      "deletecollection pods n/",
		"GET /api/v1/namespaces/n/pods?watch=1": "watch pods n/",
		"GET /api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp":    "list pods n/p",
		"GET /api/v1/namespaces/n/pods?fieldSelector=metadata.name%21%3Dp": "list pods n/",
		"GET /api/v1/namespaces/n/pods?fieldSelector=%3D%3D%3D":            "list pods n/",
		"PUT /apis/apps/v1/namespaces/n/deployments/d/scale":               "update deployments/scale.apps n/d",
		"PATCH /apis/apps/v1/namespaces/n/deployments/d":                   "patch deployments.apps n/d",
		"OPTIONS " + pod: "",
	} {
		recorder, config := record(server{status: http.StatusOK})
		method, path, _ := strings.Cut(request, " ")
		send(t.Context(), t, config, method, path, nil)
		if got := inWords(recorder.Used()); got != want {
			t.Errorf("%s uses %q, want %q", request, got, want)
		}
	}
}

func TestAnObjectThatAWriteMakesIsCreatedToo(t *testing.T) {
	for request, want := range map[string]string{
		"PUT /api/v1/namespaces/n/pods/p":   "create pods n/p, update pods n/p",
		"PATCH /api/v1/namespaces/n/pods/p": "create pods n/p, patch pods n/p",
		"POST /api/v1/namespaces/n/pods":    "create pods n/",
	} {
		recorder, config := record(server{status: http.StatusCreated})
		method, path, _ := strings.Cut(request, " ")
		send(t.Context(), t, config, method, path, nil)
		if got := inWords(recorder.Used()); got != want {
			t.Errorf("%s uses %q, want %q", request, got, want)
		}
	}
}

func inWords(used rbac.Used) string {
	var all []string
	for _, u := range used {
		if u.Path != "" {
			all = append(all, u.Verb+" "+u.Path)
			continue
		}
		resource := u.Resource
		if u.Group != "" {
			resource += "." + u.Group
		}
		all = append(all, fmt.Sprintf("%s %s %s/%s", u.Verb, resource, u.Namespace, u.Name))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
