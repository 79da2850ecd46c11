// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/klog/v2"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller"
)

// referenceIndex finds Flunders by the one that they refer to.
const referenceIndex = "spec.flunderReference"

func indexByReference(f *wardlev1beta1.Flunder) ([]string, error) {
	if f.Spec.FlunderReference == "" {
		return nil, nil
	}
	return []string{f.Namespace + "/" + f.Spec.FlunderReference}, nil
}

// dependants names the Flunders that refer to f, whether or not f exists.
func (r *Reconciler) dependants(
	ctx context.Context,
	f *wardlev1beta1.Flunder,
) []controller.Request {
	referring, err := r.byReference.ByTypedIndex(referenceIndex, f.Namespace+"/"+f.Name)
	if err != nil { // the index was added in Setup, so it is there
		klog.FromContext(ctx).Error(err, "Dependants not found", "object", klog.KObj(f))
		return nil
	}
	requests := make([]controller.Request, len(referring))
	for i, dependant := range referring {
		requests[i] = controller.Request{Namespace: dependant.Namespace, Name: dependant.Name}
	}
	return requests
}

// concernsDependants passes what can change a dependant's verdict: whether the Flunder exists, what
// it refers to, and its Ready condition.
func concernsDependants(_ context.Context, event controller.Event[*wardlev1beta1.Flunder]) bool {
	if event.Type != controller.Updated {
		return true
	}
	before := meta.FindStatusCondition(event.Old.Status.Conditions, wardlev1beta1.ConditionReady)
	after := meta.FindStatusCondition(event.New.Status.Conditions, wardlev1beta1.ConditionReady)
	return event.Old.UID != event.New.UID ||
		event.Old.Spec.FlunderReference != event.New.Spec.FlunderReference ||
		(before == nil) != (after == nil) ||
		before != nil && (before.Status != after.Status || before.Reason != after.Reason)
}

// checkReference waits for the Flunder that f refers to, and finds references that can never be
// ready.
func (r *Reconciler) checkReference(
	_ context.Context,
	f *wardlev1beta1.Flunder,
	_ *observed,
) (*verdict, error) {
	name := f.Spec.FlunderReference
	if name == "" {
		return nil, nil
	}
	cycle, err := r.cycle(f)
	if err != nil {
		return nil, err
	}
	if cycle != nil {
		return blocked(
			wardlev1beta1.ReasonReferenceCycle,
			fmt.Sprintf(
				"the references lead back to this Flunder (%s): change one of them",
				strings.Join(cycle, " -> "),
			),
		), nil
	}
	referred, err := r.flunderCache.Flunders(f.Namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return waiting(
			wardlev1beta1.ReasonReferenceNotFound,
			fmt.Sprintf("the Flunder %q that spec.flunderReference names does not exist", name),
		), nil
	case err != nil:
		return nil, fmt.Errorf("read the Flunder %q from the cache: %w", name, err)
	case !meta.IsStatusConditionTrue(referred.Status.Conditions, wardlev1beta1.ConditionReady):
		return waiting(
			wardlev1beta1.ReasonReferenceNotReady,
			fmt.Sprintf("the Flunder %q is not ready", name),
		), nil
	}
	return nil, nil
}

// cycle follows the references and returns the names on the way when they lead back to f. A cycle
// further on, that f only waits for, is for the Flunders on it to report.
func (r *Reconciler) cycle(f *wardlev1beta1.Flunder) ([]string, error) {
	path := []string{f.Name}
	visited := map[string]bool{}
	for next := f.Spec.FlunderReference; next != ""; {
		path = append(path, next)
		if next == f.Name {
			return path, nil
		}
		if visited[next] {
			return nil, nil
		}
		visited[next] = true
		referred, err := r.flunderCache.Flunders(f.Namespace).Get(next)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the Flunder %q from the cache: %w", next, err)
		}
		next = referred.Spec.FlunderReference
	}
	return nil, nil
}
