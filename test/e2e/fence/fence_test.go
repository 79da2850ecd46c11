// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"errors"
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

// attempt prepares and does a write.
func (e *env) attempt(w *writer, how write) error {
	e.Helper()
	name := unique()
	e.must(how.prepare(e.Context(), e, name))
	return how.do(e.Context(), e, w, name)
}

// admits and refuses are over all writes that the fence is about.
func (e *env) admits(w *writer) {
	e.Helper()
	for _, how := range writes() {
		if err := e.attempt(w, how); err != nil {
			e.Errorf("%s by %s was refused: %v", how.name, w.name, err)
		}
	}
}

func (e *env) refuses(w *writer) {
	e.Helper()
	for _, how := range writes() {
		if err := e.attempt(w, how); !fenced(err, e.installation) {
			e.Errorf("%s by %s was not refused by the fence: %v", how.name, w.name, err)
		}
	}
}

func TestC18OnlyTheHoldersPodWrites(t *testing.T) {
	e := newEnv(t, sample)
	holder, standby := e.a, e.b
	for range 2 { // to and fro
		e.put(holder, &holder.name)
		e.admits(holder)
		e.refuses(standby)
		e.refuses(e.unbound)
		e.admits(e.other)
		holder, standby = standby, holder
	}
}

func TestC18NobodyWritesWhileNobodyHoldsTheLease(t *testing.T) {
	e := newEnv(t, sample)
	for name, identity := range map[string]*string{"null": nil, "empty": ptr.To(""), "an underscore": ptr.To("_"), "a uuid alone": ptr.To("_8f14")} {
		t.Run(name, func(*testing.T) {
			e.put(e.admin, identity)
			for _, w := range []*writer{e.a, e.b, e.unbound} {
				if err := e.try(w); !fenced(err, sample) {
					t.Errorf("a write of %s: %v", w.name, err)
				}
			}
			e.admits(e.other)
		})
	}
}

func TestC18TheHolderIsAPodsNameOrBeginsWithItAndAnUnderscore(t *testing.T) {
	e := newEnv(t, sample)
	for identity, want := range map[string]bool{"a": true, "a_0b6c": true, "a_b_c": true, "ab": false, "a-b": false, "A": false, "b_a": false, "b": false, " a": false} {
		e.hold(identity)
		if err := e.try(e.a); (err == nil) != want || !want && !fenced(err, sample) {
			t.Errorf("the holder is %q and pod a's write ended with %v", identity, err)
		}
	}
}

func TestC18StandbysTellEventsAndAskReviews(t *testing.T) {
	e := newEnv(t, sample)
	e.put(e.a, &e.a.name)
	for _, how := range exempt() {
		for _, w := range []*writer{e.a, e.b, e.unbound} {
			if err := e.attempt(w, how); err != nil {
				t.Errorf("%s by %s was refused: %v", how.name, w.name, err)
			}
		}
	}
}

func TestC18AStandbyTakesTheLeaseAndOnlyInItsOwnName(t *testing.T) {
	e := newEnv(t, sample)
	for _, c := range []struct {
		by            *writer
		before, after string
		want          bool
	}{
		{e.b, "", "b", true},
		{e.b, "a", "b", true}, // whether a's term is over is the election's to know
		{e.b, "a_1", "b_2", true},
		{e.b, "b", "b", true},
		{e.b, "b_1", "", true},
		{e.b, "a", "", false}, // what client-go's release can do
		{e.b, "a", "a", false},
		{e.b, "", "a", false},
		{e.b, "b", "a", false},
		{e.b, "", "ba", false},
		{e.unbound, "a", "b", false},
		{e.unbound, "a", "", false},
		{e.unbound, "", "", false},
		{e.admin, "a", "", true},
		{e.other, "a", "b", true}, // what RBAC is for
	} {
		e.hold(c.before)
		_, err := e.take(e.Context(), c.by, &c.after)
		if (err == nil) != c.want || !c.want && !apierrors.IsForbidden(err) {
			t.Errorf("%s changes the holder from %q to %q: %v", c.by.name, c.before, c.after, err)
		}
		if !c.want && !strings.Contains(err.Error(), "identity must be the pod's name") {
			t.Errorf("the message does not say what the rule is: %v", err)
		}
	}
}

func TestC18TheLeaseIsNotDeletedWhileTheFenceIsThere(t *testing.T) {
	e := newEnv(t, sample)
	e.put(e.a, &e.a.name)
	for _, w := range []*writer{e.admin, e.a, e.b, e.other} {
		leases := w.kube.CoordinationV1().Leases(e.namespace)
		if err := leases.Delete(t.Context(), e.lease, metav1.DeleteOptions{}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "remove the fence first") {
			t.Errorf("%s deletes the lease: %v", w.name, err)
		}
		err := leases.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=" + e.lease})
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s deletes all leases: %v", w.name, err)
		}
	}
	lease, err := e.admin.kube.CoordinationV1().Leases(e.namespace).Get(t.Context(), e.lease, metav1.GetOptions{})
	if err != nil || lease.DeletionTimestamp != nil {
		t.Errorf("the lease is going: %v", err)
	}
}

// A missing Lease takes somebody who has removed a part of the fence. Nobody else must suffer from it, and
// there must be a way back.
func TestC18WithoutTheLeaseItsStatusIsClosedAndOthersGoOn(t *testing.T) {
	e := newEnv(t, sample)
	e.put(e.a, &e.a.name)
	e.removeLease()
	status := measured()[4]
	e.eventually("the policy sees that the lease is gone", func() error {
		if err := e.attempt(e.a, status); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "no params found for policy binding") {
			return errors.Join(errors.New("a status was written"), err)
		}
		return nil
	})
	for _, how := range writes() {
		if err := e.attempt(e.other, how); err != nil && how.name != status.name {
			t.Errorf("%s by %s was refused: %v", how.name, e.other.name, err)
		}
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: e.lease}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &e.b.name}}
	lease, err := e.b.kube.CoordinationV1().Leases(e.namespace).Create(t.Context(), lease, metav1.CreateOptions{})
	e.must(err)
	e.awaitView(lease)
	e.admits(e.b)
	e.refuses(e.a)
	e.apply()
}

// removeLease opens the fence first, as somebody would have to.
func (e *env) removeLease() {
	e.Helper()
	e.must(e.admin.kube.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(e.Context(), "flunder-controller-fence-lease", metav1.DeleteOptions{}))
	e.eventually("the lease can be deleted", func() error {
		return e.admin.kube.CoordinationV1().Leases(e.namespace).Delete(e.Context(), e.lease, metav1.DeleteOptions{})
	})
}

func TestC18SomebodyWhoOnlyPretendsToBeTheAccountIsRefused(t *testing.T) {
	e := newEnv(t, sample)
	e.put(e.a, &e.a.name)
	config := plane.Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + e.namespace + ":" + e.account, Groups: []string{"system:masters"}}
	e.refuses(newWriter("an impersonator without any extra", config))
}

// Whoever applies the manifests again, as every deployment does, does not depose the leader.
func TestC18ApplyingTheFenceAgainLeavesTheHolder(t *testing.T) {
	e := newEnv(t, sample)
	before := e.put(e.a, &e.a.name)
	e.apply()
	after, err := e.admin.kube.CoordinationV1().Leases(e.namespace).Get(t.Context(), e.lease, metav1.GetOptions{})
	e.must(err)
	if after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the lease was written: %v", after.Spec)
	}
	e.admits(e.a)
	e.refuses(e.b)
}
