// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// ResourcesOf returns what a generated clientset calls: its interface says which resources there are, which of
// them are in namespaces, and which have a status.
//
//	virtualtest.NewAPI(t, virtualtest.ResourcesOf[versioned.Interface](scheme.Scheme)...)
//
// The scheme is the clientset's own. Resources whose Go type it does not know are left out. The interface does not
// say the name of a resource in paths if that was stated, as in +kubebuilder:resource:path. Give [NewAPI] a
// Resource with such a Plural too; it takes the place of the one from here.
func ResourcesOf[Clientset any](scheme *runtime.Scheme) []Resource {
	var all []Resource
	clientset := reflect.TypeFor[Clientset]()
	for i := range clientset.NumMethod() {
		group := clientset.Method(i)
		if group.Type.NumIn() != 0 || group.Type.NumOut() != 1 {
			continue
		}
		if of := group.Type.Out(0); of.Kind() == reflect.Interface {
			for j := range of.NumMethod() {
				if r, ok := resourceOf(of.Method(j), scheme); ok {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

// resourceOf reads a method such as Pods(namespace string) PodInterface.
func resourceOf(method reflect.Method, scheme *runtime.Scheme) (Resource, bool) {
	none := Resource{}
	if method.Type.NumOut() != 1 || method.Type.NumIn() > 1 || method.Type.Out(0).Kind() != reflect.Interface {
		return none, false
	}
	client := method.Type.Out(0)
	get, ok := client.MethodByName("Get")
	if !ok || get.Type.NumOut() != 2 || get.Type.Out(0).Kind() != reflect.Pointer {
		return none, false
	}
	goType := get.Type.Out(0).Elem()
	object, ok := reflect.New(goType).Interface().(runtime.Object)
	if !ok {
		return none, false
	}
	kinds, _, err := scheme.ObjectKinds(object)
	if err != nil {
		return none, false
	}
	_, hasStatus := client.MethodByName("UpdateStatus")
	return Resource{
		Group: kinds[0].Group, Version: kinds[0].Version, Kind: kinds[0].Kind,
		Plural: strings.ToLower(method.Name), ClusterScoped: method.Type.NumIn() == 0, NoStatus: !hasStatus,
		goType: goType,
	}, true
}
