// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/lanyard-k8s/lanyard/controller/plan"
)

func compare(t *testing.T, secret bool, before, after string) []string {
	t.Helper()
	var a, b map[string]any
	for text, into := range map[string]*map[string]any{before: &a, after: &b} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	made := unmade{uids: map[string]plan.Object{"fresh": {Resource: "pods", Namespace: "n", Name: "p"}}}
	var lines []string
	for _, field := range (&diff{secret: secret, replaced: made.replaced}).compare(a, b) {
		lines = append(lines, field.String())
	}
	return lines
}

func TestC33ADiffHasWhatAWriteIsForAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		what, before, after string
		want                []string
	}{
		{
			"versions and times", `{"metadata":{"name":"a","uid":"1","generation":1,"resourceVersion":"1","creationTimestamp":null,"managedFields":[{}],
				"annotations":{"x/at":"2026-01-01T00:00:00Z"}},"status":{"conditions":[{"type":"Ready","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`,
			`{"metadata":{"name":"b","uid":"2","generation":2,"resourceVersion":"2","creationTimestamp":"2026-01-01T00:00:00Z",
				"annotations":{"x/at":"2026-01-02T00:00:00Z"}},"status":{"startTime":"2026-01-02T00:00:00Z","conditions":[{"type":"Ready","lastTransitionTime":"2026-01-02T00:00:00Z"}]}}`,
			nil,
		},
		{
			"times that a user has specified", `{"spec":{"until":"2026-01-01T00:00:00Z"}}`, `{"spec":{"until":"2026-01-02T00:00:00Z"}}`,
			[]string{`~ spec.until: "2026-01-01T00:00:00Z" -> "2026-01-02T00:00:00Z"`},
		},
		{
			"no time any more", `{"status":{"at":"2026-01-01T00:00:00Z"}}`, `{"status":{"at":"never"}}`,
			[]string{`~ status.at: "2026-01-01T00:00:00Z" -> "never"`},
		},
		{
			"elements with names", `{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}}`,
			`{"spec":{"containers":[{"name":"b","image":"2"},{"name":"c","image":"1"}]}}`,
			[]string{
				`- spec.containers[name=a].image: "1"`, `- spec.containers[name=a].name: "a"`, `~ spec.containers[name=b].image: "1" -> "2"`,
				`+ spec.containers[name=c].image: "1"`, `+ spec.containers[name=c].name: "c"`,
			},
		},
		{
			"their order", `{"spec":{"init":[{"name":"a"},{"name":"b"}]}}`, `{"spec":{"init":[{"name":"b"},{"name":"a"}]}}`,
			[]string{`~ spec.init[order]: ["a","b"] -> ["b","a"]`},
		},
		{"other lists", `{"spec":{"args":["a","b"]}}`, `{"spec":{"args":["a","c"]}}`, []string{`~ spec.args[1]: "b" -> "c"`}},
		{"longer lists", `{"spec":{"args":["a"]}}`, `{"spec":{"args":["a","c"]}}`, []string{`~ spec.args: ["a"] -> ["a","c"]`}},
		{"a new list", `{"spec":{}}`, `{"spec":{"args":["a"]}}`, []string{`+ spec.args[0]: "a"`}},
		{"an empty object", `{"spec":{}}`, `{"spec":{"emptyDir":{},"ingress":[{}]}}`, []string{`+ spec.emptyDir: {}`, `+ spec.ingress[0]: {}`}},
		{"another type", `{"spec":{"a":{"b":1}}}`, `{"spec":{"a":"b"}}`, []string{`~ spec.a: {"b":1} -> "b"`}},
		{"null is none", `{"spec":{"a":null}}`, `{"spec":{}}`, nil},
		{"numbers", `{"spec":{"a":1,"b":1.0,"c":2}}`, `{"spec":{"a":1.0,"b":1,"c":2.5}}`, []string{`~ spec.c: 2 -> 2.5`}},
		{"keys with dots", `{"metadata":{"labels":{"a.b/c":"1"}}}`, `{"metadata":{"labels":{"a.b/c":"2"}}}`, []string{`~ metadata.labels[a.b/c]: "1" -> "2"`}},
		{"a new object", ``, `{"kind":"X","metadata":{"name":"a"},"spec":{"a":1}}`, []string{`+ spec.a: 1`}},
		{
			"an owner that does not exist", ``, `{"metadata":{"ownerReferences":[{"name":"p","uid":"fresh"}]}}`,
			[]string{`+ metadata.ownerReferences[name=p].name: "p"`, `+ metadata.ownerReferences[name=p].uid: "<the UID of the new pods n/p>"`},
		},
	} {
		if diff := cmp.Diff(c.want, compare(t, false, c.before, c.after)); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

func TestC33ADiffOfASecretHasItsKeysOnly(t *testing.T) {
	got := compare(t, true, `{"data":{"a":"c2VjcmV0","b":"x"},"type":"Opaque","metadata":{"labels":{"x":"1"},"annotations":{"last":"c2VjcmV0"}}}`,
		`{"data":{"a":"bmV3","c":"x"},"stringData":{"d":"y"},"type":"Other","metadata":{"labels":{"x":"2"},"annotations":{"last":"bmV3"}}}`)
	want := []string{
		"~ data.a: (hidden)", "~ data.b: (hidden)", "~ data.c: (hidden)", "~ metadata.annotations.last: (hidden)",
		`~ metadata.labels.x: "1" -> "2"`, "~ stringData.d: (hidden)", `~ type: "Opaque" -> "Other"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := compare(t, true, "", `{"data":{"a":"c2VjcmV0"}}`); !cmp.Equal(got, []string{"~ data.a: (hidden)"}) {
		t.Errorf("%q", got)
	}
	if got := compare(t, true, "", `{"data":"c2VjcmV0"}`); !cmp.Equal(got, []string{"~ data: (hidden)"}) {
		t.Errorf("%q", got)
	}
}
