// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTheExamplesHold runs the code of the examples as the tests that they are.
func TestTheExamplesHold(test *testing.T) {
	defer func() { t = nil }()
	t = test
	ExampleStart()
	synctest.Test(test, func(test *testing.T) {
		t = test
		ExampleNewAPI()
		ExampleAPI_After()
	})
}

func TestAControllerWorksAnHourLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		virtualtest.Start(t, api, setUp)
		settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"}}
		api.Create(settings)
		for i := range 3 {
			time.Sleep(time.Duration(min(i, 1)) * time.Hour)
			synctest.Wait()
			api.Get(settings)
			if want := time.Now().Format(time.RFC3339); settings.Annotations["stamp"] != want {
				t.Errorf("the stamp is %q, want %q", settings.Annotations["stamp"], want)
			}
		}
		writes := 0
		for _, c := range api.Calls() {
			if c.Writes() {
				writes++
			}
		}
		if writes != 3 {
			t.Errorf("there were %d writes: %v", writes, api.Calls())
		}
	})
}
