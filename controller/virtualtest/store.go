// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

type object = unstructured.Unstructured

// store has the objects and all that has happened to them. An object in it is never changed, only replaced.
type store struct {
	mu      sync.Mutex
	objects map[schema.GroupResource]map[types.NamespacedName]*object
	version int64 // of the newest change
	uids    int64
	garbage bool // is collected
	log     []change
	forgot  int64         // no watch begins before this version
	news    chan struct{} // is closed by the next change
	cut     chan struct{} // is closed to end all watches
}

// change is what happened to one object. For watchers with a selector it also has the object as it was.
type change struct {
	version  int64
	resource schema.GroupResource
	kind     watch.EventType
	object   *object
	before   *object // nil for Added
}

func newStore() *store {
	return &store{
		objects: map[schema.GroupResource]map[types.NamespacedName]*object{},
		news:    make(chan struct{}), cut: make(chan struct{}),
		version: 1, // 0 means any
	}
}

func keyOf(o *object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// get returns an object, nil if there is none. The caller holds the lock.
func (s *store) get(of schema.GroupResource, key types.NamespacedName) *object {
	return s.objects[of][key]
}

// list returns the objects of a namespace, or of all, in the order of their names. The caller holds the lock.
func (s *store) list(of schema.GroupResource, namespace string) []*object {
	keys := slices.SortedFunc(maps.Keys(s.objects[of]), func(a, b types.NamespacedName) int {
		return strings.Compare(a.String(), b.String())
	})
	var all []*object
	for _, key := range keys {
		if namespace == "" || key.Namespace == namespace {
			all = append(all, s.objects[of][key])
		}
	}
	return all
}

// put stores an object in place of what was there, with a version of its own. The caller holds the lock.
func (s *store) put(of schema.GroupResource, o *object) {
	before := s.get(of, keyOf(o))
	kind := watch.Modified
	if before == nil {
		kind = watch.Added
	}
	s.happen(change{resource: of, kind: kind, object: o, before: before})
	if s.objects[of] == nil {
		s.objects[of] = map[types.NamespacedName]*object{}
	}
	s.objects[of][keyOf(o)] = o
}

// remove removes an object. The caller holds the lock.
func (s *store) remove(of schema.GroupResource, o *object) {
	before := s.get(of, keyOf(o))
	delete(s.objects[of], keyOf(o))
	s.happen(change{resource: of, kind: watch.Deleted, object: o.DeepCopy(), before: before})
}

func (s *store) happen(c change) {
	s.version++
	c.version = s.version
	c.object.SetResourceVersion(strconv.FormatInt(s.version, 10))
	s.log = append(s.log, c)
	close(s.news)
	s.news = make(chan struct{})
}

// since returns what has happened after a version, up to the newest, and what is closed by the next change.
func (s *store) since(version int64) (changes []change, newest int64, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := slices.BinarySearchFunc(s.log, version+1, func(c change, v int64) int { return int(c.version - v) })
	return s.log[from:], s.version, s.news
}

// forget lets no watch begin at a version from before.
func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.forgot = s.version
}

// cutWatches ends all watches.
func (s *store) cutWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.cut)
	s.cut = make(chan struct{})
}
