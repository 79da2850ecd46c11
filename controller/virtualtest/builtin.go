// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// builtIns returns the resources of client-go's own clientset.
func builtIns() []Resource {
	all := ResourcesOf[kubernetes.Interface](scheme.Scheme)
	schemas := &lazily{make: sync.OnceValue(func() managedfields.TypeConverter {
		return applyconfigurations.NewTypeConverter(scheme.Scheme)
	})}
	for i := range all {
		r := &all[i]
		r.builtIn = true
		r.unversion = !hasGeneration(r.Kind)
		r.TypeConverter = schemas
		r.SelectableFields = selectable(r.gvk().GroupKind())
	}
	return all
}

// hasGeneration reports whether a real API server keeps a generation for a built-in kind.
func hasGeneration(kind string) bool {
	return slices.Contains([]string{
		"ControllerRevision", "CronJob", "DaemonSet", "Deployment", "FlowSchema", "Ingress", "IngressClass", "Job",
		"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "NetworkPolicy",
		"Pod", "PodDisruptionBudget", "PriorityClass", "PriorityLevelConfiguration", "ReplicaSet",
		"ReplicationController", "ResourceSlice", "StatefulSet", "ValidatingAdmissionPolicy",
		"ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
	}, kind)
}

// selectable returns the fields of a built-in kind that operators select by.
func selectable(kind schema.GroupKind) []string {
	switch kind {
	case schema.GroupKind{Kind: "Pod"}:
		return []string{
			".spec.nodeName", ".spec.restartPolicy", ".spec.schedulerName", ".spec.serviceAccountName",
			".spec.hostNetwork", ".status.phase", ".status.podIP", ".status.nominatedNodeName",
		}
	case schema.GroupKind{Kind: "Event"}:
		return []string{
			".involvedObject.kind", ".involvedObject.namespace", ".involvedObject.name", ".involvedObject.uid",
			".reason", ".reportingComponent", ".source", ".type",
		}
	case schema.GroupKind{Group: "events.k8s.io", Kind: "Event"}:
		return []string{
			".regarding.kind", ".regarding.namespace", ".regarding.name", ".regarding.uid",
			".reason", ".reportingController", ".type",
		}
	case schema.GroupKind{Kind: "Secret"}:
		return []string{".type"}
	case schema.GroupKind{Kind: "Node"}:
		return []string{".spec.unschedulable"}
	case schema.GroupKind{Kind: "Namespace"}:
		return []string{".status.phase"}
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return []string{".status.successful"}
	}
	return nil
}

// lazily reads the schemas of the built-in kinds when the first one is needed, which takes a moment.
type lazily struct {
	make func() managedfields.TypeConverter
}

var _ managedfields.TypeConverter = &lazily{}

func (l *lazily) ObjectToTyped(object runtime.Object, options ...typed.ValidationOptions) (*typed.TypedValue, error) {
	return l.make().ObjectToTyped(object, options...)
}

func (l *lazily) TypedToObject(value *typed.TypedValue) (runtime.Object, error) {
	return l.make().TypedToObject(value)
}
