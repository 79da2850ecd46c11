// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/lanyard-k8s/lanyard/controller/events"
)

// A recorder writes an event in the context of the reconcile.
func ExampleRecorder_Eventf() {
	client := fake.NewClientset() // in a program: made from the manager's Config
	recorder := events.NewRecorder(client.EventsV1(), scheme.Scheme, "example.com/web", "web-7d9f")
	reconcile := func(ctx context.Context, pod *corev1.Pod) {
		recorder.Eventf(ctx, pod, nil, corev1.EventTypeWarning, "ImageMissing", "Pull", "there is no image %q", "web:3")
	}
	reconcile(context.Background(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}})

	written, err := client.EventsV1().Events("shop").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(written.Items[0].Reason, written.Items[0].Note)
	// Output:
	// ImageMissing there is no image "web:3"
}
