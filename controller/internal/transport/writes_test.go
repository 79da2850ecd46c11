// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// TestC19AnAnswerWithoutAVersionLeavesTheWriteInDoubt, also if a cache has a version of the object: it is not
// the one that the write has led to.
func TestC19AnAnswerWithoutAVersionLeavesTheWriteInDoubt(t *testing.T) {
	for body, doubt := range map[string]bool{
		`{"kind":"Scale","metadata":{"name":"a","uid":"u"}}`:                      true,
		`{"kind":"Status","status":"Success"}`:                                    true,
		`{"kind":"Deployment","metadata":{"name":"a","uid":"u","resourceVersion"`: true,
		`nonsense`: true,
		`{"kind":"Deployment","metadata":{"name":"a","uid":"u","resourceVersion":"18"}}`: false,
		`{"kind":"Deployment","metadata":{"name":"a","uid":"u","resourceVersion":"17"}}`: false,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://x/apis/apps/v1/namespaces/b/deployments/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &call{req: req, before: "17"}
		c.Call = observe.Call{Outstanding: work.Outstanding{
			Call: report.Call{Verb: "update", Resource: "deployments.apps", Namespace: "b", Name: "a"},
		}}
		write := (&writes{}).answered(c, "application/json", []byte(body))
		if write.Unknown != doubt {
			t.Errorf("%s: unknown is %t, the version %q", body, write.Unknown, write.Version)
		}
		if write.Collection != "/apis/apps/v1/namespaces/b/deployments" || write.Name != "a" || write.Before != "17" {
			t.Errorf("%s: %+v", body, write)
		}
	}
}

func TestC19TheCollectionOfACallIsThePathWithoutTheObject(t *testing.T) {
	const collection = "/apis/apps/v1/namespaces/b/deployments"
	for path, call := range map[string]report.Call{
		collection:              {Resource: "deployments.apps"},
		collection + "/":        {Resource: "deployments.apps"},
		collection + "/a":       {Resource: "deployments.apps", Name: "a"},
		collection + "/a/":      {Resource: "deployments.apps", Name: "a"},
		collection + "/a/scale": {Resource: "deployments/scale", Name: "a"},
	} {
		if got := collectionPath(path, &call); got != collection {
			t.Errorf("%s: %s", path, got)
		}
	}
}
