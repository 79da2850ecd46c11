// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// snapshot is the objects of some resources in a scenario's namespace.
type snapshot struct {
	namespace string
	objects   []unstructured.Unstructured
	uids      map[types.UID]bool // of all that exist, as far as somebody refers to them
}

// look reads the objects.
func (w *world) look(ctx context.Context, namespace string, resources []schema.GroupResource) (*snapshot, error) {
	s := &snapshot{namespace: namespace, uids: map[types.UID]bool{}}
	for _, resource := range resources {
		client, namespaced, err := w.client.Resource(resource, namespace)
		if err != nil {
			return nil, err
		}
		if !namespaced {
			continue
		}
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", resource, err)
		}
		s.objects = append(s.objects, list.Items...)
	}
	for i := range s.objects {
		s.uids[s.objects[i].GetUID()] = true
	}
	for i := range s.objects {
		for _, owner := range s.objects[i].GetOwnerReferences() {
			if err := w.lookFor(ctx, s, owner); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// lookFor finds out whether an owner exists.
func (w *world) lookFor(ctx context.Context, s *snapshot, owner metav1.OwnerReference) error {
	if _, known := s.uids[owner.UID]; known {
		return nil
	}
	client, _, err := w.client.Kind(schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind), s.namespace)
	if err != nil {
		s.uids[owner.UID] = false
		return nil //nolint:nilerr // a kind that is not served has no objects
	}
	object, err := client.Get(ctx, owner.Name, metav1.GetOptions{})
	if ignoreNotFound(err) != nil {
		return err
	}
	s.uids[owner.UID] = err == nil && object.GetUID() == owner.UID
	return nil
}

// collect deletes what has only owners that are gone, as the garbage collector does. It returns how many there were.
func (w *world) collect(ctx context.Context, s *snapshot) (collected int, err error) {
	for i := range s.objects {
		object := &s.objects[i]
		owners := object.GetOwnerReferences()
		alive := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return s.uids[o.UID] })
		if len(owners) == 0 || alive || object.GetDeletionTimestamp() != nil {
			continue
		}
		client, _, err := w.client.Kind(object.GroupVersionKind(), s.namespace)
		if err != nil {
			return collected, err
		}
		uid := object.GetUID()
		err = client.Delete(ctx, object.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		if ignoreNotFound(err) != nil && !apierrors.IsConflict(err) {
			return collected, err
		}
		collected++
	}
	return collected, nil
}

// state is what two runs of a program have in common: objects by their names, and the values in them by their paths.
type state map[string]*object

type object struct {
	kind, name, owner string
	fields            map[string]string
}

// group is what objects with generated names have in common.
func (o *object) group() string { return o.kind + " of " + o.owner }

var (
	uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
)

// unstable are the fields of the metadata that differ from run to run.
var unstable = []string{
	"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields", "generation", "selfLink",
	"namespace", "ownerReferences", "generateName", "name",
}

// state makes a snapshot comparable. fixed are the names that are the same in each run, by group; without them, no
// name is taken for generated.
func (s *snapshot) state(fixed map[string]map[string]bool) state {
	result := state{}
	objects := make([]*object, 0, len(s.objects))
	for i := range s.objects {
		objects = append(objects, s.object(&s.objects[i]))
	}
	for _, o := range objects {
		if names := fixed[o.group()]; names != nil && !names[o.name] {
			o.name = "<generated>"
		}
	}
	slices.SortFunc(objects, func(a, b *object) int { // not by names that are made up
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.owner, b.owner),
			strings.Compare(fmt.Sprint(a.fields), fmt.Sprint(b.fields)))
	})
	for _, o := range objects {
		key := o.kind + " " + o.name
		for n := 2; result[key] != nil; n++ {
			key = o.kind + " " + o.name + " (" + strconv.Itoa(n) + ")"
		}
		result[key] = o
	}
	return result
}

func (s *snapshot) object(u *unstructured.Unstructured) *object {
	o := &object{kind: u.GetKind(), name: s.text(u.GetName()), fields: map[string]string{}}
	var owners []string
	for _, owner := range u.GetOwnerReferences() {
		words := owner.Kind + " " + generated.ReplaceAllString(owner.Name, "-*")
		if !s.uids[owner.UID] {
			words += " (which is gone)"
		}
		if owner.Controller == nil || !*owner.Controller {
			words += " (not its controller)"
		}
		owners = append(owners, words)
	}
	slices.Sort(owners)
	o.owner = strings.Join(owners, ", ")
	content := u.DeepCopy().Object
	if u.GetDeletionTimestamp() != nil {
		o.fields["metadata.deletionTimestamp"] = "set"
	}
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, field := range unstable {
			delete(metadata, field)
		}
	}
	s.flatten(o, "", content, u.GetGeneration())
	return o
}

func (s *snapshot) flatten(o *object, path string, value any, generation int64) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			below := name
			if path != "" {
				below = path + "." + name
			}
			if number, ok := value[name].(int64); ok && name == "observedGeneration" {
				o.fields[below] = map[bool]string{true: "current", false: "old"}[number == generation]
				continue
			}
			s.flatten(o, below, value[name], generation)
		}
	case []any:
		places := placesIn(value)
		for i, each := range value {
			s.flatten(o, path+"["+places[i]+"]", each, generation)
		}
	case string:
		o.fields[path] = strconv.Quote(s.text(value))
	default:
		text, _ := json.Marshal(value) // it came as JSON
		o.fields[path] = string(text)
	}
}

// placesIn returns what tells the elements of a list apart: the types of conditions, whose order means nothing, or else
// their numbers.
func placesIn(list []any) []string {
	var types, numbers []string
	for i, each := range list {
		numbers = append(numbers, strconv.Itoa(i))
		condition, _ := each.(map[string]any)
		kind, ok := condition["type"].(string)
		if _, status := condition["status"]; ok && status && !slices.Contains(types, kind) {
			types = append(types, kind)
		}
	}
	if len(types) == len(list) {
		return types
	}
	return numbers
}

// text replaces what differs from run to run.
func (s *snapshot) text(text string) string {
	text = strings.ReplaceAll(text, s.namespace, "<namespace>")
	return times.ReplaceAllString(uuids.ReplaceAllString(text, "<uid>"), "<time>")
}

// difference is one between two states.
type difference struct {
	oracle Oracle
	key    string // of the object
	path   string // of the field; empty if it is about the object
	text   string
}

// diff says how a state differs from the one that is right.
func (s state) diff(right state, mask map[string]bool) (found []difference) {
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if right[key] == nil {
			found = append(found, difference{O3, key, "", fmt.Sprintf("%s (owner: %s) is there, and no run without faults leaves it", key, orNone(s[key].owner))})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(right)) {
		want, got := right[key], s[key]
		if got == nil {
			found = append(found, difference{O1, key, "", key + " is not there"})
			continue
		}
		if want.owner != got.owner {
			found = append(found, difference{O3, key, "owner", fmt.Sprintf("%s has the owner %s, want %s", key, orNone(got.owner), orNone(want.owner))})
		}
		for _, path := range fieldsOf(want, got) {
			if want.fields[path] != got.fields[path] && !mask[key+"\x00"+path] {
				found = append(found, difference{O1, key, path, fmt.Sprintf("%s has %s: %s, want %s", key, path, orNone(got.fields[path]), orNone(want.fields[path]))})
			}
		}
	}
	return found
}

func fieldsOf(a, b *object) []string {
	all := maps.Clone(a.fields)
	maps.Copy(all, b.fields)
	return slices.Sorted(maps.Keys(all))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
