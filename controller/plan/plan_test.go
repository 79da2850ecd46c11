// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

func TestAPlanAsText(t *testing.T) {
	author := plan.Author{Controller: "shop", Request: reconcile.Request{Namespace: "n", Name: "s"}}
	deployment := plan.Object{Group: "apps", Resource: "deployments", Namespace: "n", Name: "d"}
	p := &plan.Plan{
		Reconciles: 2,
		Changes: []plan.Change{
			{Action: plan.Create, Object: deployment, Author: author, Times: 1, Fields: []plan.Field{{Path: "spec.replicas", New: 1}}},
			{Action: plan.Create, Object: plan.Object{Resource: "pods", Namespace: "n", GenerateName: "p-"}, Author: author, Times: 3},
			{
				Action: plan.Update, Object: plan.Object{Group: "apps", Resource: "deployments", Subresource: "status", Namespace: "n", Name: "e"},
				Author: plan.Author{Runnable: "job"}, Times: 1,
				Fields: []plan.Field{{Path: "status.note", Old: strings.Repeat("x", 300), New: "y"}, {Path: "status.old", Old: true}},
			},
			{Action: plan.Update, Object: plan.Object{Resource: "secrets", Namespace: "n", Name: "x"}, Times: 1, Fields: []plan.Field{{Path: "data.a", Hidden: true}}},
			{Action: plan.Update, Object: plan.Object{Resource: "nodes", Name: "x"}, Author: author, Times: 1, Unread: true},
			{Action: plan.Delete, Object: plan.Object{Resource: "pods", Namespace: "n", Name: "q"}, Author: author, Times: 1},
		},
		Stops: []plan.Stop{
			{Author: author, Verb: "get", Object: deployment, Action: plan.Create, Of: deployment, Err: errors.New("not\nthere")},
			{Author: author, Action: plan.Create, Of: deployment},
		},
		Failures: []plan.Failure{
			{Author: author, Err: errors.New("broken")},
			{Author: author, Verb: "update", Object: deployment, Webhook: "hook.example.com", Err: errors.New("refused")},
		},
		NotRun: []string{"the runnable health"},
	}
	want := `create deployments.apps n/d (by shop n/s)
    + spec.replicas: 1
create pods n/p-<random> (by shop n/s, 3 times)
update deployments.apps/status n/e (by runnable job)
    ~ status.note: "` + strings.Repeat("x", 199) + `... -> "y"
    - status.old: true
update secrets n/x (by a context from outside the manager)
    ~ data.a: (hidden)
update nodes x (by shop n/s)
    the fields are not known
delete pods n/q (by shop n/s)
stopped (by shop n/s): get deployments.apps n/d could not be followed, because the create of deployments.apps n/d was not really made
    not there
stopped (by shop n/s): the reconcile could not be followed, because the create of deployments.apps n/d was not really made
failed (by shop n/s): broken
failed (by shop n/s): update deployments.apps n/d
    the admission webhook hook.example.com has side effects, and so no dry run
    refused
not run in a dry run: the runnable health
plan of 2 reconciles: 4 to create, 3 to update, 1 to delete, 2 not followed, 2 failed
`
	if got := p.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if p.Unchanged() || !p.Failed() {
		t.Error("it has changes and failures")
	}
	empty := &plan.Plan{Reconciles: 1}
	if got := empty.String(); got != "plan of 1 reconcile: nothing would change\n" || !empty.Unchanged() || empty.Failed() {
		t.Error(got)
	}
	stopped := &plan.Plan{Stops: p.Stops}
	if stopped.Unchanged() {
		t.Error("nobody knows what comes after a stop")
	}
}
