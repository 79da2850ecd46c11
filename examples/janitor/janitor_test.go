// SPDX-License-Identifier: Apache-2.0

package janitor_test

import (
	"fmt"
	"runtime"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/janitor"
)

func TestMain(m *testing.M) { suite.Main(m) }

func TestObjectsOfALabelledKindAreDeletedWhenTheirLifetimeIsOver(t *testing.T) {
	e := newEnv(t)
	gadgets := e.define("gadget", map[string]string{janitor.Enabled: "true"})
	defer gadgets.undefine()
	gadgets.create("short", "1s")
	gadgets.create("long", "1h")
	gadgets.create("without", "")
	gadgets.awaitGone("short")

	gadgets.annotate(janitor.LifetimeField, "spec.other")
	gadgets.update("long", func(o *unstructured.Unstructured) {
		e.Must(unstructured.SetNestedField(o.Object, "1s", "spec", "other"))
	})
	gadgets.awaitGone("long") // the other field counts, and the first no more
	gadgets.create("not-meant", "1ms")
	gadgets.create("canary", "") // is looked at after the one before it
	gadgets.update("canary", func(o *unstructured.Unstructured) {
		e.Must(unstructured.SetNestedField(o.Object, "1s", "spec", "other"))
	})
	gadgets.awaitGone("canary")
	for _, name := range []string{"without", "not-meant"} {
		if !gadgets.exists(name) {
			t.Errorf("%s was deleted", name)
		}
	}
}

func TestALifetimeThatIsMadeLongerCounts(t *testing.T) {
	e := newEnv(t)
	gadgets := e.define("widget", map[string]string{janitor.Enabled: "true"})
	defer gadgets.undefine()
	gadgets.create("longer", "5s")
	gadgets.update("longer", func(o *unstructured.Unstructured) {
		e.Must(unstructured.SetNestedField(o.Object, "1h", "spec", "lifetime"))
	})
	gadgets.create("canary", "5s") // is looked at when the other would have been deleted
	gadgets.awaitGone("canary")
	if !gadgets.exists("longer") {
		t.Error("it was deleted")
	}
}

// TestKindsThatComeAndGoLeaveNothingBehind, however they go: by the label, or with the definition.
func TestKindsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	e := newEnv(t)
	comeAndGo := func(name string) {
		kind := e.define(name, map[string]string{janitor.Enabled: "true"})
		kind.create("short", "1s")
		kind.awaitGone("short")
		kind.label(nil)
		kind.create("stays", "1ms")
		kind.label(map[string]string{janitor.Enabled: "true"})
		kind.awaitGone("stays") // it stayed only while the label was away
		kind.undefine()
	}
	comeAndGo("kind0") // connections and the like are there from now on
	before := runtime.NumGoroutine()
	for i := range 5 {
		comeAndGo(fmt.Sprintf("kind%d", i)) // the first comes back
	}
	e.AwaitGoroutines(before)
	if err := e.operator.Ready(); err != nil {
		t.Error(err)
	}
}
