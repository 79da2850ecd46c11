// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

const (
	clusterBinding = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
subjects: [{kind: ServiceAccount, namespace: sys, name: sa}]
---
`
	binding = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: 'n'}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: r}
subjects: [{kind: ServiceAccount, name: sa}]
---
`
	clusterRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
rules:
`
	role = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: 'n'}
rules:
`
)

// write makes a file, and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "role.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func use(verb, group, resource string, at ...string) rbac.Use {
	at = append(at, "", "")
	return rbac.Use{Verb: verb, Group: group, Resource: resource, Namespace: at[0], Name: at[1]}
}

func fixed(u rbac.Use) rbac.Use {
	u.FixedNamespace, u.FixedName = true, true
	return u
}

func url(path string) rbac.Use { return rbac.Use{Verb: "get", Path: path} }

func TestGrantsAreComparedByTheRulesOfTheAPIServer(t *testing.T) {
	const miss, extra = "used but not granted:\n", "granted but never used:\n"
	refused := use("get", "", "pods", "n", "p")
	refused.Refused, refused.By = true, "controller c"
	for name, c := range map[string]struct {
		manifests string
		used      rbac.Used
		want      string
	}{
		"the same": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [pods], verbs: [get, list]}`,
			rbac.Used{use("get", "", "pods", "n", "p"), use("list", "", "pods")}, "",
		},
		"too little and too much": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [pods, secrets], verbs: [list]}`,
			rbac.Used{refused, use("get", "", "pods", "n", "q"), use("list", "", "pods"), use("list", "apps", "deployments")},
			miss + "  get pods in n (p) and 1 more, by the controller c, refused by the API server: rule 1 of the ClusterRole r in FILE grants list on it\n" +
				"  list deployments.apps: no rule is about it\n" +
				extra + "  rule 1 of the ClusterRole r in FILE: list secrets\n",
		},
		"a subresource is a resource of its own": {
			clusterBinding + clusterRole + `- {apiGroups: [apps], resources: [deployments], verbs: [patch]}
- {apiGroups: [apps], resources: [deployments/status], verbs: [update]}`,
			rbac.Used{use("patch", "apps", "deployments/status", "n", "d")},
			miss + "  patch deployments.apps/status in n (d): rule 2 of the ClusterRole r in FILE grants update on it\n" +
				extra + "  rule 1 of the ClusterRole r in FILE: patch deployments.apps\n  rule 2 of the ClusterRole r in FILE: update deployments.apps/status\n",
		},
		"wildcards grant more than is used": {
			clusterBinding + clusterRole + `- {apiGroups: ["*"], resources: ["*/scale"], verbs: [get]}
- {apiGroups: [apps], resources: [deployments], verbs: ["*"]}
- {nonResourceURLs: ["/metrics*"], verbs: [get]}`,
			rbac.Used{use("get", "apps", "deployments/scale", "n", "d"), use("patch", "apps", "deployments", "n", "d"), url("/metrics/slis"), url("/other")},
			miss + "  get /other: no rule is about it\n" +
				extra + "  rule 1 of the ClusterRole r in FILE: get *.*/scale, of which only this was used: get deployments.apps/scale in n (d)\n" +
				"  rule 2 of the ClusterRole r in FILE: * deployments.apps, of which only this was used: patch deployments.apps in n (d)\n" +
				"  rule 3 of the ClusterRole r in FILE: get /metrics*, of which only this was used: get /metrics/slis\n",
		},
		"wildcards that are stated": {
			clusterBinding + clusterRole + `- {apiGroups: [apps], resources: [deployments], verbs: ["*"]}`,
			rbac.Used{use("patch", "apps", "deployments", "n", "d")}.Also("it is an example", use("*", "apps", "deployments", rbac.Any, rbac.Any)), "",
		},
		"names": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [secrets], resourceNames: [a, b], verbs: [get]}
- {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [create, list]}`,
			rbac.Used{
				use("get", "", "secrets", "n", "a"), use("get", "", "secrets", "n", "c"), use("create", "", "secrets", "n"),
				use("list", "", "secrets", "n", "a"),
			},
			miss + "  create secrets in n: rule 2 of the ClusterRole r in FILE grants it for the name a only\n" +
				"  get secrets in n (c): rule 1 of the ClusterRole r in FILE grants it for the name a, b only\n" +
				extra + "  rule 1 of the ClusterRole r in FILE: get secrets (b)\n  rule 2 of the ClusterRole r in FILE: create secrets (a)\n",
		},
		"all names for one": {
			fmt.Sprintf(binding, "Role") + role + `- {apiGroups: [""], resources: [secrets], verbs: [get]}`,
			rbac.Used{fixed(use("get", "", "secrets", "n", "a"))},
			extra + "  rule 1 of the Role n/r in FILE: get secrets, of which only this was used: get secrets in n (a)\n",
		},
		"all namespaces for one": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [get]}`,
			rbac.Used{fixed(use("get", "", "secrets", "n", "a"))},
			extra + "  rule 1 of the ClusterRole r in FILE: get secrets (a), of which only this was used: get secrets in n (a)\n",
		},
		"a Role is for its namespace": {
			fmt.Sprintf(binding, "Role") + role + `- {apiGroups: [""], resources: [secrets], verbs: [get]}`,
			rbac.Used{use("get", "", "secrets", "n", "a"), use("get", "", "secrets", "m", "a"), use("get", "", "secrets", rbac.Any, rbac.Any)},
			miss + "  get secrets in many namespaces (many names) and 1 more: rule 1 of the Role n/r in FILE grants it in the namespace n only\n",
		},
		"a ClusterRole in a RoleBinding is for that namespace, and for no path": {
			fmt.Sprintf(binding, "ClusterRole") + clusterRole + `- {apiGroups: [""], resources: [secrets], verbs: [list]}
- {nonResourceURLs: [/metrics], verbs: [get]}`,
			rbac.Used{use("list", "", "secrets"), use("list", "", "secrets", "n"), url("/metrics")},
			miss + "  list secrets: rule 1 of the ClusterRole r in FILE grants it in the namespace n only\n  get /metrics: no rule is about it\n" +
				extra + "  rule 2 of the ClusterRole r in FILE: get /metrics\n",
		},
		"twice": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [pods], verbs: [get, list]}`,
			rbac.Used{use("get", "", "pods", "n", "p"), use("list", "", "pods")},
			extra + "  rule 1 of the ClusterRole r in FILE: get pods, which is granted by rule 2 of the ClusterRole r in FILE as well\n",
		},
		"what everybody may is not missing": {
			clusterBinding + clusterRole + `- {apiGroups: [""], resources: [pods], verbs: [get]}`,
			rbac.Used{use("get", "", "pods", "n", "p"), url("/apis/apps/v1"), use("create", "authorization.k8s.io", "selfsubjectaccessreviews")}, "",
		},
		"aggregated": {
			clusterBinding + `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r, labels: {a: b}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}
rules: [{apiGroups: [""], resources: [ignored], verbs: [get]}]
---
` + strings.Replace(clusterRole, "name: r", "name: part, labels: {a: b}", 1) + `- {apiGroups: [""], resources: [pods], verbs: [get, list]}`,
			rbac.Used{use("get", "", "pods", "n", "p")},
			extra + "  rule 1 of the ClusterRole part in FILE: list pods\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, c.manifests)
			manifests, err := rbac.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			granted, err := manifests.Granted(types.NamespacedName{})
			if err != nil {
				t.Fatal(err)
			}
			differences, err := rbac.Compare(c.used, granted)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(c.want, "FILE", file), differences.String()); diff != "" {
				t.Error(diff)
			}
			if differences.Empty() != (c.want == "") {
				t.Errorf("it is empty: %v", differences.Empty())
			}
		})
	}
}

func TestSubjectsAreThoseOfTheAPIServer(t *testing.T) {
	const rule = `- {apiGroups: [""], resources: [pods], verbs: [get]}`
	for subject, want := range map[string]bool{
		"{kind: ServiceAccount, namespace: sys, name: sa}":        true,
		"{kind: ServiceAccount, namespace: other, name: sa}":      false,
		"{kind: ServiceAccount, name: sa}":                        false, // the API server takes none without a namespace
		"{kind: User, name: 'system:serviceaccount:sys:sa'}":      true,
		"{kind: User, name: sa}":                                  false,
		"{kind: Group, name: 'system:serviceaccounts:sys'}":       true,
		"{kind: Group, name: 'system:serviceaccounts'}":           true,
		"{kind: Group, name: 'system:authenticated'}":             true,
		"{kind: Group, name: 'system:serviceaccounts:elsewhere'}": false,
	} {
		content := strings.Replace(clusterBinding, "{kind: ServiceAccount, namespace: sys, name: sa}", subject, 1) + clusterRole + rule
		manifests, err := rbac.Load(write(t, content))
		if err != nil {
			t.Fatal(err)
		}
		_, err = manifests.Granted(types.NamespacedName{Namespace: "sys", Name: "sa"})
		if (err == nil) != want {
			t.Errorf("%s: %v", subject, err)
		}
	}
}

// failed is a test that notes its failures.
type failed struct{ text string }

func (*failed) Helper() {}

func (f *failed) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }

func TestWhatCannotBeComparedIsAnErrorThatSaysWhy(t *testing.T) {
	const rule = `- {apiGroups: [""], resources: [pods], verbs: [get]}`
	pods := rbac.Used{use("get", "", "pods", "n", "p")}
	for name, c := range map[string]struct {
		manifests string
		used      rbac.Used
		want      string
	}{
		"nothing wrong":       {clusterBinding + clusterRole + rule, pods, ""},
		"a difference":        {clusterBinding + clusterRole + rule, nil, "permissions are not what was used:\ngranted but never used:"},
		"a list":              {"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n---\n" + clusterBinding + clusterRole + rule, pods, ""},
		"other objects":       {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n---\n# nothing\n---\n" + clusterBinding + clusterRole + rule, pods, ""},
		"no reason":           {clusterBinding + clusterRole + rule, pods.Also("", use("list", "", "pods")), "list pods is stated without a reason"},
		"a use of nothing":    {clusterBinding + clusterRole + rule, rbac.Used{{Verb: "get"}}, "needs a verb, and either a resource or a path"},
		"no binding":          {clusterRole + rule, pods, "name 0 service accounts"},
		"two accounts":        {clusterBinding + strings.ReplaceAll(fmt.Sprintf(binding, "ClusterRole"), "sa", "sb") + clusterRole + rule, pods, "name 2 service accounts (n/sb, sys/sa)"},
		"no such role":        {clusterBinding + role + rule, pods, "refers to the ClusterRole r, which is not in the manifests"},
		"twice":               {clusterBinding + clusterRole + rule + "\n---\n" + clusterRole + rule, pods, "the ClusterRole r is in"},
		"an old version":      {"apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role\n", pods, "use rbac.authorization.k8s.io/v1"},
		"an unknown field":    {clusterBinding + clusterRole + rule + "\nrule: []", pods, `unknown field "rule"`},
		"an unknown kind":     {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Rolle\n", pods, "the kind Rolle is not known"},
		"something else":      {"}{", pods, "role.yaml"},
		"a selector of a lie": {clusterBinding + strings.Replace(clusterRole, "rules:", "aggregationRule: {clusterRoleSelectors: [{matchExpressions: [{key: a, operator: Is}]}]}", 1), pods, "the aggregationRule of the ClusterRole r"},
	} {
		f := &failed{}
		rbac.Check(f, c.used, write(t, c.manifests))
		if c.want == "" && f.text != "" || !strings.Contains(f.text, c.want) {
			t.Errorf("%s: %q", name, f.text)
		}
	}
	f := &failed{}
	if rbac.Check(f, pods, t.TempDir()); !strings.Contains(f.text, "has no file that ends in .yaml") {
		t.Error(f.text)
	}
	if rbac.Check(f, pods, "/no/such/file"); !strings.Contains(f.text, "no such file") {
		t.Error(f.text)
	}
}
