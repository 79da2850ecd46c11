package ctxargs

import (
	"context"

	"example.com/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func inScope(ctx context.Context, pods client.Pods, pod *client.Pod) error {
	if _, err := pods.Create(pod); err != nil { // want `pods.Create takes a context first, and options by value, since KEP-1601: this call does not compile`
		return err
	}
	pods.Update(pod)                   // want `pods.Update takes`
	pods.Get("a", metav1.GetOptions{}) // want `pods.Get takes`
	pods.Patch("a", nil)               // want `pods.Patch takes`
	pods.Patch("a", nil, "status")     // want `pods.Patch takes`
	opts := &metav1.DeleteOptions{}
	pods.Delete("a", opts)                                               // want `pods.Delete takes`
	pods.Delete("a", nil)                                                // want `pods.Delete takes`
	pods.Delete("a", &metav1.DeleteOptions{})                            // want `pods.Delete takes`
	pods.Delete("a", new(metav1.DeleteOptions))                          // want `pods.Delete takes`
	pods.DeleteCollection(opts, metav1.ListOptions{})                    // want `pods.DeleteCollection takes`
	pods.DeleteCollection(&metav1.DeleteOptions{}, metav1.ListOptions{}) // want `pods.DeleteCollection takes`
	return new(client.Request).Do().Into(pod)                            // want `Do takes`
}

func conservative(ctx context.Context, pods client.Pods) {
	defer pods.Delete("a", nil) // want `pods.Delete takes`
}

func silent(ctx context.Context, pods client.Pods) {
	pods.Get(ctx, "a", metav1.GetOptions{})
	pods.Patch(ctx, "a", nil, metav1.PatchOptions{}, "status")
}
