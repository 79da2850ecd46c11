// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/internal/served"
)

// AwaitReady waits until the condition Ready of an object is True. If the condition has an observedGeneration, it must
// be the generation of the object. AwaitReady waits until ctx ends, but for a minute at most; its error then has the
// last status. It does not wait for an object that does not exist, or whose kind is not served.
func AwaitReady(ctx context.Context, config *rest.Config, of Reference) error {
	client, err := served.NewClient(config)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", of, err)
	}
	resource, _, err := client.Kind(schema.FromAPIVersionAndKind(of.APIVersion, of.Kind), of.Namespace)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", of, err)
	}
	var last any
	err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		object, err := resource.Get(ctx, of.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		last = object.Object["status"]
		return ready(object), nil
	})
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err), ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("wait for %s: %w", of, err)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	default:
		err = errors.New("it is not ready after a minute")
	}
	status, jsonErr := json.Marshal(last)
	return errors.Join(fmt.Errorf("wait for %s: %w; its status is %s", of, err, status), jsonErr)
}

func ready(object *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, each := range conditions {
		condition, ok := each.(map[string]any)
		if !ok || condition["type"] != "Ready" || condition["status"] != "True" {
			continue
		}
		observed, stated, err := unstructured.NestedInt64(condition, "observedGeneration")
		return err == nil && (!stated || observed == object.GetGeneration())
	}
	return false
}
