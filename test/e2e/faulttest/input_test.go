// SPDX-License-Identifier: Apache-2.0

package faulttest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// TestWhatCannotBeExploredIsSaidInOneLine of programs that are no input for a comparison.
func TestWhatCannotBeExploredIsSaidInOneLine(t *testing.T) {
	foreign := program(wiring{})
	foreign.Run = func(ctx context.Context, _ *rest.Config, namespace string) error {
		return program(wiring{reconcile: right}).Run(ctx, plane.Config(), namespace)
	}
	partly := program(wiring{reconcile: func(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
		other := &shop{namespace: s.namespace, client: kubernetes.NewForConfigOrDie(plane.Config())}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "other"}}
		_, _ = other.client.CoreV1().Secrets(s.namespace).Create(ctx, secret, metav1.CreateOptions{}) // it may be there
		return right(ctx, s, parent)
	}})
	failing := program(wiring{})
	failing.Run = func(context.Context, *rest.Config, string) error { return fmt.Errorf("no such file") }
	for name, c := range map[string]struct {
		program faulttest.Program
		want    string
	}{
		"it is never at rest":           {program(wiring{reconcile: restless}), "never at rest"},
		"it writes at each start":       {program(wiring{reconcile: stamp}), "does not leave alone what it has made"},
		"it sleeps":                     {program(wiring{reconcile: sleep}), "in place of a sleep"},
		"it does something else":        {program(wiring{reconcile: gamble}), "two runs without a fault"},
		"it uses another client":        {foreign, "no call with the config"},
		"it uses another client partly": {partly, "not with the config that Run is given"},
		"it fails":                      {failing, "no such file"},
		"it does nothing":               {program(wiring{reconcile: nothing}), "nothing to put a fault at"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			_, err := faulttest.Run(t.Context(), plane.Config(), c.program, faulttest.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

func restless(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Get(ctx, parent.Name, metav1.GetOptions{})
	return controller.Result{RequeueAfter: 20 * time.Millisecond}, err
}

func stamp(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if time.Since(startOf(parent)) < time.Second/2 {
		return controller.Result{}, nil
	}
	return controller.Result{}, s.annotate(ctx, parent, "at", time.Now().Format(time.RFC3339Nano))
}

func startOf(parent *corev1.ConfigMap) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, parent.Annotations["at"])
	return at
}

func sleep(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if err := s.ensureChild(ctx, parent); err != nil {
		return controller.Result{}, err
	}
	time.Sleep(1500 * time.Millisecond)
	return controller.Result{}, s.annotate(ctx, parent, "child", "there")
}

func gamble(ctx context.Context, s *shop, parent *corev1.ConfigMap) (controller.Result, error) {
	if parent.Annotations["done"] == "true" {
		return controller.Result{}, nil
	}
	for i := range 1 + rand.IntN(1000) {
		child := childOf(parent)
		child.Name = fmt.Sprintf("%s-%03d", parent.Name, i)
		if rand.IntN(2) == 0 {
			continue
		}
		if _, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, child, metav1.CreateOptions{}); err != nil {
			return controller.Result{}, err
		}
		if i > 20 {
			break
		}
	}
	return controller.Result{}, s.annotate(ctx, parent, "done", "true")
}

func nothing(context.Context, *shop, *corev1.ConfigMap) (controller.Result, error) {
	return controller.Result{}, nil
}
