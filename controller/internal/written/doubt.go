// SPDX-License-Identifier: Apache-2.0

package written

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// maxDoubts bounds the doubts of an item. Beyond it, whole collections are read.
const maxDoubts = 20

// doubt notes a doubt of an item. The lock must be held.
func (w *Writes) doubt(item Item, d doubt) {
	of := w.of(item)
	if len(of.doubts) >= maxDoubts {
		d.Name = ""
		d.Selector = ""
		d.Fields = ""
	}
	if slices.ContainsFunc(of.doubts, d.same) {
		return
	}
	of.doubts = append(of.doubts, d)
	w.open.Add(1)
}

// Doubts reports whether there are writes of an item of which nobody knows whether they were applied.
func (w *Writes) Doubts(item Item) bool {
	if w.open.Load() == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.items[item]
	return of != nil && len(of.doubts) > 0
}

// List lists the metadata of a collection as the API server has it now.
type List func(ctx context.Context, collection string, query url.Values) ([]metav1.PartialObjectMetadata, error)

// Settle asks the API server what became of the writes of an item that are in doubt. From then on the item
// waits until the caches show that.
func (w *Writes) Settle(ctx context.Context, item Item, list List) error {
	w.mu.Lock()
	var doubts []doubt
	if of := w.items[item]; of != nil {
		doubts = of.doubts
	}
	w.mu.Unlock()
	for _, d := range doubts {
		query := url.Values{}
		selected := d.Fields
		if d.Name != "" {
			selected = fields.OneTermEqualSelector("metadata.name", d.Name).String()
		}
		if selected != "" {
			query.Set("fieldSelector", selected)
		}
		if d.Selector != "" {
			query.Set("labelSelector", d.Selector)
		}
		live, err := list(ctx, d.Collection, query)
		if err != nil {
			return fmt.Errorf("find out whether the API server has applied an earlier write of %s: %w", d.describe(), err)
		}
		w.settled(item, d, live)
	}
	return nil
}

// GiveUpDoubts drops the doubts of an item, and returns their description.
func (w *Writes) GiveUpDoubts(item Item) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.items[item]
	if of == nil {
		return nil
	}
	for i := range of.doubts {
		all = append(all, "whether a write of "+of.doubts[i].describe()+" was applied")
	}
	w.open.Add(-int64(len(of.doubts)))
	of.doubts = nil
	w.drop(item, of)
	return all
}

// same reports whether another doubt is about the same objects.
func (d *doubt) same(other doubt) bool {
	return other.Collection == d.Collection && other.Name == d.Name && other.Selector == d.Selector && other.Fields == d.Fields
}

func (d *doubt) describe() string {
	if d.Name == "" {
		return d.resource
	}
	return d.resource + " " + reconcile.Request{Namespace: d.Namespace, Name: d.Name}.String()
}

// settled replaces a doubt by what the caches must show.
func (w *Writes) settled(item Item, d doubt, live []metav1.PartialObjectMetadata) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.of(item)
	left := slices.DeleteFunc(slices.Clone(of.doubts), d.same) // Settle reads the other slice
	w.open.Add(int64(len(left) - len(of.doubts)))
	of.doubts = left
	covering := w.set.Covering(d.resource, w.factories)
	there := map[string]bool{}
	for i := range live {
		object := &live[i]
		there[string(object.UID)] = true
		w.note(&item, covering, &state{
			namespace: object.Namespace, name: object.Name, uid: object.UID, version: object.ResourceVersion,
			labels: func() map[string]string { return object.Labels },
		})
	}
	for _, c := range covering {
		for _, object := range d.cached(c) {
			if !there[string(object.GetUID())] {
				w.note(&item, []*caches.Cache{c}, &state{
					namespace: object.GetNamespace(), name: object.GetName(), uid: object.GetUID(), gone: true,
				})
			}
		}
	}
	w.drop(item, of)
}

// cached returns the objects of a cache that a doubt concerns. With a selector of fields nobody but the API
// server knows which these are.
func (d *doubt) cached(c *caches.Cache) (all []metav1.Object) {
	if d.Name != "" {
		if object := read(place{c, reconcile.Request{Namespace: d.Namespace, Name: d.Name}}); object != nil {
			all = append(all, object)
		}
		return all
	}
	selector, err := labels.Parse(d.Selector)
	if err != nil || d.Fields != "" {
		return nil
	}
	for _, cached := range c.GetStore().List() {
		object, _ := meta.Accessor(cached)
		if object != nil && (d.Namespace == "" || d.Namespace == object.GetNamespace()) &&
			selector.Matches(labels.Set(object.GetLabels())) {
			all = append(all, object)
		}
	}
	return all
}
