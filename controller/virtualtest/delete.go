// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// deletion is what a request says of a deletion.
func (w *writer) deletion() (*metav1.DeleteOptions, error) {
	options := &metav1.DeleteOptions{}
	if len(w.body) > 0 {
		if err := json.Unmarshal(w.body, options); err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("decode the options: %v", err))
		}
	}
	if policy := w.query.Get("propagationPolicy"); policy != "" {
		options.PropagationPolicy = new(metav1.DeletionPropagation(policy))
	}
	if slices.Contains(options.DryRun, metav1.DryRunAll) {
		w.query["dryRun"] = options.DryRun
	}
	return options, nil
}

// delete removes the object that the call names, or sets its deletion time if it has finalizers.
func (w *writer) delete() (any, error) {
	options, err := w.deletion()
	if err != nil {
		return nil, err
	}
	o, err := w.current()
	if err != nil {
		return nil, err
	}
	if p := options.Preconditions; p != nil {
		if p.UID != nil && *p.UID != o.GetUID() {
			return nil, w.conflict(fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s", *p.UID, o.GetUID()))
		}
		if p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion() {
			return nil, w.conflict(fmt.Sprintf("Precondition failed: ResourceVersion in precondition: %s, ResourceVersion in object meta: %s",
				*p.ResourceVersion, o.GetResourceVersion()))
		}
	}
	return w.end(o, options), nil
}

// end ends one object. It returns the object if it stays, or else a status.
func (w *writer) end(o *object, options *metav1.DeleteOptions) any {
	if o.GetDeletionTimestamp() == nil && options.PropagationPolicy != nil {
		switch *options.PropagationPolicy {
		case metav1.DeletePropagationForeground:
			o.SetFinalizers(append(o.GetFinalizers(), metav1.FinalizerDeleteDependents))
		case metav1.DeletePropagationOrphan:
			o.SetFinalizers(append(o.GetFinalizers(), metav1.FinalizerOrphanDependents))
		}
	}
	of := w.resource.groupResource()
	if len(o.GetFinalizers()) == 0 {
		if !w.dry() {
			w.remove(of, o)
		}
		return &metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
			Details: &metav1.StatusDetails{Name: o.GetName(), Group: of.Group, Kind: of.Resource, UID: o.GetUID()},
		}
	}
	if o.GetDeletionTimestamp() == nil {
		now := metav1.Now().Rfc3339Copy()
		o.SetDeletionTimestamp(&now)
		o.SetDeletionGracePeriodSeconds(new(int64(0)))
		if !w.resource.unversion {
			o.SetGeneration(o.GetGeneration() + 1)
		}
		if !w.dry() {
			w.put(of, o)
		}
	}
	return o
}

// deleteAll ends the selected objects.
func (w *writer) deleteAll() ([]*object, error) {
	options, err := w.deletion()
	if err != nil {
		return nil, err
	}
	selected, err := selectionOf(w.Call, w.query, w.resource)
	if err != nil {
		return nil, err
	}
	var ended []*object
	for _, o := range w.list(w.resource.groupResource(), w.Namespace) {
		if !selected.has(o) {
			continue
		}
		o = o.DeepCopy()
		w.end(o, options)
		ended = append(ended, o)
	}
	return ended, nil
}
