// SPDX-License-Identifier: Apache-2.0

package orphantest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/orphantest"
)

// exampleT stands for the test's t.
type exampleT struct{ cleanups []func() }

func (t *exampleT) Helper()          {}
func (t *exampleT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Println(regexp.MustCompile(`/\S+/|:\d+:`).ReplaceAllStringFunc(text, func(found string) string {
		if filepath.IsAbs(found) {
			return "" // the folder
		}
		return ":LINE:"
	}))
}

// exampleInformer stands for one from a generated factory, with one ConfigMap in its cache.
func exampleInformer(source *fcache.FakeControllerSource) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	source.Add(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"}})
	lw := &cache.ListWatch{
		ListWithContextFunc: func(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return source.List(options)
		},
		WatchFuncWithContext: func(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return source.Watch(options)
		},
	}
	return controller.Standalone[*corev1.ConfigMap](
		cache.NewSharedIndexInformer(lw, &corev1.ConfigMap{}, 0, nil), controller.InformerOptions{})
}

// A reconcile function does not pass its context on, and the test fails with the line that does so.
func ExampleCheck() {
	t := &exampleT{}
	source := fcache.NewFakeControllerSource()
	defer source.Shutdown()
	ctx, cancel := context.WithCancel(context.Background())

	m := controller.NewManager(&rest.Config{Transport: deaf{}}, controller.ManagerOptions{})
	orphantest.Check(t, m)
	client := kubernetes.NewForConfigOrDie(m.Config())
	controller.New(m, "shop", exampleInformer(source),
		func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			defer cancel() // the test has seen enough
			_, _ = client.CoreV1().ConfigMaps(cm.Namespace).Get(context.Background(), "prices", metav1.GetOptions{})
			return controller.Result{}, nil
		}, controller.Options{})
	if err := m.Run(ctx); err != nil {
		fmt.Println(err)
	}

	for _, f := range t.cleanups { // package testing does this
		f()
	}
	// Output: orphaned call: example_test.go:LINE: get configmaps shop/prices with a context from outside the manager
}
