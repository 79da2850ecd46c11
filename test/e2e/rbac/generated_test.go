// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller/rbac"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
)

// TestTheSampleRunsWithTheRolesThatAreWrittenForIt records the sample as an administrator, writes roles from
// that, applies the YAML, and runs the sample as somebody who has these roles and nothing else. Then it
// takes single permissions away, of which each is missed by a call.
func TestTheSampleRunsWithTheRolesThatAreWrittenForIt(t *testing.T) {
	e := newEnv(t)
	recorded := ownersFinalizers(e.recordSample(plane.Config(), e.namespace))
	name := e.newAccount()
	roles := recorded.Roles(rbac.RoleOptions{
		Name: e.namespace, ServiceAccount: types.NamespacedName{Namespace: e.namespace, Name: name},
	})
	e.applyYAML(roles)
	e.awaitAllowed(name, recorded)

	again := newEnv(t).recordSample(e.as(e.namespace, name), e.namespace)
	for _, use := range again {
		if use.Refused {
			t.Errorf("%v was refused", use)
		}
	}
	differences, err := rbac.Compare(ownersFinalizers(again), e.granted(roles))
	if err != nil || !differences.Empty() {
		t.Errorf("%v\n%s", err, differences)
	}
	e.wantEachRuleNeeded(name, recorded, roles)
}

func (e *env) granted(roles *rbac.Roles) *rbac.Granted {
	e.Helper()
	manifests := &rbac.Manifests{}
	e.must(manifests.Add("written", roles.Objects()...))
	granted, err := manifests.Granted(types.NamespacedName{})
	e.must(err)
	return granted
}

// applyYAML applies roles as a user would who has them in a file.
func (e *env) applyYAML(roles *rbac.Roles) {
	e.Helper()
	content, err := roles.YAML()
	e.must(err)
	var objects []*unstructured.Unstructured
	for _, document := range bytes.Split(content, []byte("---\n")) {
		object := &unstructured.Unstructured{}
		e.must(utilyaml.Unmarshal(document, &object.Object))
		objects = append(objects, object)
	}
	e.must(cluster.Apply(e.Context(), plane.Config(), e.namespace, objects))
}

// refusals returns the uses that the API server's authorizer refuses to a service account.
func (e *env) refusals(ctx context.Context, name string, used rbac.Used) []string {
	var refused []string
	for _, use := range used {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:   "system:serviceaccount:" + e.namespace + ":" + name,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + e.namespace, "system:authenticated"},
		}}
		if use.Path != "" {
			review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: use.Verb, Path: use.Path}
		} else {
			resource, subresource, _ := strings.Cut(use.Resource, "/")
			review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
				Verb: use.Verb, Group: use.Group, Resource: resource, Subresource: subresource,
				Namespace: strings.Trim(use.Namespace, rbac.Any), Name: strings.Trim(use.Name, rbac.Any),
			}
		}
		reviewed, err := e.admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		e.must(err)
		if !reviewed.Status.Allowed {
			refused = append(refused, use.String())
		}
	}
	return refused
}

func (e *env) awaitAllowed(name string, used rbac.Used) {
	e.Helper()
	e.eventually("all that was recorded is allowed", func() error {
		if refused := e.refusals(e.Context(), name, used); len(refused) > 0 {
			return fmt.Errorf("refused: %v", refused)
		}
		return nil
	})
}

// wantEachRuleNeeded takes single permissions away and looks whether something recorded is refused then.
func (e *env) wantEachRuleNeeded(name string, used rbac.Used, roles *rbac.Roles) {
	e.Helper()
	n := 0
	each := func(rules *[]rbacv1.PolicyRule) {
		all := *rules
		for fewer := range withoutOne(all) {
			n++
			*rules = fewer
			e.applyYAML(roles)
			e.awaitRefusal(name, used)
		}
		*rules = all
	}
	for _, role := range roles.ClusterRoles {
		each(&role.Rules)
	}
	for _, role := range roles.Roles {
		each(&role.Rules)
	}
	if n < 15 {
		e.Errorf("only %d permissions were taken away", n)
	}
	e.applyYAML(roles)
	e.awaitAllowed(name, used)
}

// awaitRefusal waits until exactly one permission is missed.
func (e *env) awaitRefusal(name string, used rbac.Used) {
	e.Helper()
	e.eventually("a permission is missed", func() error {
		refused := e.refusals(e.Context(), name, used)
		if len(refused) == 0 {
			return errors.New("nothing is refused")
		}
		permissions := map[string]bool{}
		for _, use := range refused {
			what, _, _ := strings.Cut(use, " (")
			what, _, _ = strings.Cut(what, " in ")
			permissions[what] = true
		}
		if len(permissions) > 1 { // the one before is not back yet
			return fmt.Errorf("refused: %v", refused)
		}
		return nil
	})
}

// withoutOne yields rules of which one verb on one resource is missing.
func withoutOne(rules []rbacv1.PolicyRule) func(yield func([]rbacv1.PolicyRule) bool) {
	var atoms []rbacv1.PolicyRule
	for _, rule := range rules {
		atoms = append(atoms, validation.BreakdownRule(rule)...)
	}
	return func(yield func([]rbacv1.PolicyRule) bool) {
		for i := range atoms {
			if !yield(slices.Delete(slices.Clone(atoms), i, i+1)) {
				return
			}
		}
	}
}

// TestWhatEverybodyMayIsInNoRole asks the API server whether somebody without roles may do it.
func TestWhatEverybodyMayIsInNoRole(t *testing.T) {
	e := newEnv(t)
	builtIn := e.everybodys()
	if len(builtIn) < 10 {
		t.Errorf("everybody may %v", builtIn)
	}
	e.awaitAllowed(e.newAccount(), builtIn)
	if roles := builtIn.Roles(rbac.RoleOptions{Name: "none"}); len(roles.Objects()) != 0 {
		content, err := roles.YAML()
		t.Errorf("%v:\n%s", err, content)
	}
	for _, use := range builtIn {
		if use.Path != "" {
			use.Path += "x"
			if refused := e.refusals(t.Context(), "somebody", rbac.Used{use}); (len(refused) > 0) !=
				(len(rbac.Used{use}.Roles(rbac.RoleOptions{Name: "x"}).Objects()) > 0) {
				t.Errorf("the server refuses %v, which is not what the roles have", refused)
			}
		}
	}
}

// everybodys returns what the server's roles for every authenticated user grant.
func (e *env) everybodys() (used rbac.Used) {
	e.Helper()
	for _, name := range []string{"system:basic-user", "system:discovery"} {
		role, err := e.admin.RbacV1().ClusterRoles().Get(e.Context(), name, metav1.GetOptions{})
		e.must(err)
		for _, rule := range role.Rules {
			for _, atom := range validation.BreakdownRule(rule) {
				use := rbac.Use{Verb: atom.Verbs[0]}
				if len(atom.NonResourceURLs) > 0 {
					use.Path = strings.TrimSuffix(atom.NonResourceURLs[0], "*")
				} else {
					use.Group, use.Resource = atom.APIGroups[0], atom.Resources[0]
				}
				used = append(used, use)
			}
		}
	}
	return used
}

// TestARefusalIsRecordedForTheVerbThatWasRefused has the server refuse what it asks besides the request
// itself.
func TestARefusalIsRecordedForTheVerbThatWasRefused(t *testing.T) {
	e := newEnv(t)
	name := e.newAccount()
	e.must(e.grant(name, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"patch"}}))
	e.must(e.grant(name, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/exec"}, Verbs: []string{"get"}}))
	for what, want := range map[string]struct {
		method, url, body string
		refused           []string
	}{
		"apply of what is not there": {"PATCH", "configmaps/a", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, []string{"create configmaps"}},
		"exec by a GET":              {"GET", "pods/p/exec?command=true", "", []string{"create pods/exec"}},
		"an ordinary refusal":        {"GET", "secrets/s", "", []string{"get secrets"}},
	} {
		e.eventually(what, func() error {
			recorder := rbac.NewRecorder()
			client := kubernetes.NewForConfigOrDie(recorder.Config(e.as(e.namespace, name)))
			request := client.CoreV1().RESTClient().Verb(want.method).
				RequestURI("/api/v1/namespaces/"+e.namespace+"/"+want.url).
				SetHeader("Content-Type", string(types.ApplyPatchType)).Body([]byte(want.body)).Param("fieldManager", "test")
			if want.method == http.MethodGet {
				request = client.CoreV1().RESTClient().Get().RequestURI("/api/v1/namespaces/" + e.namespace + "/" + want.url)
			}
			err := request.Do(e.Context()).Error()
			var refused []string
			for _, use := range recorder.Used() {
				if use.Refused {
					refused = append(refused, use.Verb+" "+use.Resource)
				}
			}
			if !slices.Equal(refused, want.refused) {
				return fmt.Errorf("refused: %v, and the error is %w", refused, err)
			}
			return nil
		})
	}
}

// grant gives a service account one rule in the test's namespace.
func (e *env) grant(name string, rule rbacv1.PolicyRule) error {
	meta := metav1.ObjectMeta{GenerateName: "test-", Namespace: e.namespace}
	role, err := e.admin.RbacV1().Roles(e.namespace).Create(e.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{rule}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = e.admin.RbacV1().RoleBindings(e.namespace).Create(e.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: e.namespace, Name: name}},
	}, metav1.CreateOptions{})
	return err
}

func TestTheOwnersFinalizersAreNeededWhereThePluginIsOn(t *testing.T) {
	e := newEnv(t)
	name := e.newAccount()
	e.must(e.grant(name, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}}))
	e.create("owner", "")
	owner, err := e.wardle().Get(t.Context(), "owner", metav1.GetOptions{})
	e.must(err)
	reference := metav1.NewControllerRef(owner, v1beta1.SchemeGroupVersion.WithKind("Flunder"))
	maps := kubernetes.NewForConfigOrDie(e.as(e.namespace, name)).CoreV1().ConfigMaps(e.namespace)
	create := func() error {
		_, err := maps.Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "owned-", OwnerReferences: []metav1.OwnerReference{*reference}},
		}, metav1.CreateOptions{})
		return err
	}
	e.eventually("the owner reference is refused", func() error {
		if err := create(); err == nil || !strings.Contains(err.Error(), "cannot set blockOwnerDeletion") {
			return fmt.Errorf("creating it: %w", err)
		}
		return nil
	})
	e.must(e.grant(name, rbacv1.PolicyRule{APIGroups: []string{v1beta1.GroupName}, Resources: []string{"flunders/finalizers"}, Verbs: []string{"update"}}))
	e.eventually("the owner reference is taken", create)
}
