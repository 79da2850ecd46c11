// SPDX-License-Identifier: Apache-2.0

package finalizer_test

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/finalizer"
)

// An object has a bucket for as long as it exists.
func ExampleReconcile() {
	makeBucket := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("make a bucket; finalizers:", cm.Finalizers)
		return controller.Result{}, nil
	}
	deleteBucket := func(_ context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		fmt.Println("delete the bucket; finalizers:", cm.Finalizers)
		return controller.Result{}, nil // or RequeueAfter, if the deletion is under way
	}
	ctx := context.Background() // in a program: the context of the reconcile
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}}
	client := fake.NewClientset(object).CoreV1().ConfigMaps("default") // made from the manager's Config

	// This is the whole reconcile function.
	reconcile := func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		return finalizer.Reconcile(ctx, cm, "example.com/bucket", client.Patch, makeBucket, deleteBucket)
	}

	if _, err := reconcile(ctx, object); err != nil {
		panic(err)
	}
	object, err := client.Get(ctx, "a", metav1.GetOptions{})
	if err != nil {
		panic(err)
	}
	object.DeletionTimestamp = &metav1.Time{Time: time.Now()} // as after a deletion
	if _, err := reconcile(ctx, object); err != nil {
		panic(err)
	}
	object, err = client.Get(ctx, "a", metav1.GetOptions{})
	fmt.Println("finalizers:", object.Finalizers, err)
	// Output:
	// make a bucket; finalizers: [example.com/bucket]
	// delete the bucket; finalizers: [example.com/bucket]
	// finalizers: [] <nil>
}
