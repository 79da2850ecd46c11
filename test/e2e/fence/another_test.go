// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// The same component, with other names, beside the sample's.
func TestC18AnyControllerIsFencedByAnOverlay(t *testing.T) {
	first, e := newEnv(t, sample), newEnv(t, another)
	e.put(e.a, &e.a.name)
	e.admits(e.a)
	e.refuses(e.b)
	e.refuses(e.unbound)
	e.admits(e.other)

	// The other fence has not moved, although a pod of that name exists there too.
	first.put(first.b, &first.b.name)
	first.admits(first.b)
	first.refuses(first.a)
}

func TestC18ANamespaceThatIsDeletedTakesItsLeaseWithIt(t *testing.T) {
	e := newEnv(t, another)
	e.must(e.admin.kube.CoreV1().Namespaces().Delete(t.Context(), e.namespace, metav1.DeleteOptions{}))
	// Nobody works off the deletion here, so that the namespace stays as it is while that goes on.
	e.eventually("the lease can be deleted", func() error {
		return e.admin.kube.CoordinationV1().Leases(e.namespace).Delete(t.Context(), e.lease, metav1.DeleteOptions{})
	})
	ns, err := e.admin.kube.CoreV1().Namespaces().Get(t.Context(), e.namespace, metav1.GetOptions{})
	e.must(err)
	ns.Spec.Finalizers = nil
	_, err = e.admin.kube.CoreV1().Namespaces().Finalize(t.Context(), ns, metav1.UpdateOptions{})
	e.must(err)
}

// A StatefulSet's next pod has the name of the last one, and not its uid.
func TestC18APodsUIDTellsItFromTheNextOfItsName(t *testing.T) {
	e := newEnv(t, sample)
	pod, err := e.admin.kube.CoreV1().Pods(e.namespace).Get(t.Context(), "a", metav1.GetOptions{})
	e.must(err)
	stranger, own := "a_"+string(uuid.NewUUID()), "a_"+string(pod.UID)
	e.hold(stranger)
	e.must(e.try(e.a))

	whole := e.dir
	e.dir = "testdata/uid"
	e.apply()
	e.eventually("another uid is refused", func() error {
		if err := e.try(e.a); !fenced(err, sample) {
			return errors.Join(errors.New("it is not, or not yet"), err)
		}
		return nil
	})
	e.hold(own)
	e.admits(e.a)
	e.refuses(e.b)
	e.refuses(e.unbound)

	e.hold(stranger)
	e.dir = whole
	e.apply()
	e.eventually("any is admitted again", func() error { return e.try(e.a) })
}

func TestTheDocumentsOverlaysAreThoseThatAreTested(t *testing.T) {
	document, err := os.ReadFile("../../../docs/fence.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{another.dir, "testdata/uid"} {
		overlay, err := os.ReadFile(dir + "/kustomization.yaml")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(overlay), "../../../../../config/fence", "https://github.com/lanyard-k8s/lanyard//config/fence?ref=main", 1)
		if !strings.Contains(string(document), "```yaml\n"+text+"```\n") {
			t.Errorf("docs/fence.md does not have\n%s", text)
		}
	}
}
