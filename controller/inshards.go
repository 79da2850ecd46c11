// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// InShards returns an informer for [New], [Owns] and [Watches] whose caches hold what is in the slots of
// this replica only. So the memory of a replica, and what its watches receive, are its share of the whole.
// make makes the informer for one namespace, without a factory. options say what the caches keep.
//
//	pods := controller.InShards(m, controller.InformerOptions{},
//		func(namespace string) cache.TypedSharedIndexInformer[*corev1.Pod] {
//			return coreinformers.NewTypedPodInformer(client, namespace, 0, nil)
//		})
//
// Each namespace of this replica's slots has an informer of its own, so there are as many watches. They are
// started before this replica takes part, or when a slot moves to it; an object is reconciled only when the
// caches for its namespace have synced. What belongs to a slot that was given up is dropped when its last
// reconcile has returned. A lister reads what is there: corev1listers.NewPodLister(pods.GetIndexer()).
//
// The manager lists and watches the metadata of all namespaces for this, and needs the permission to. Without
// ManagerOptions.Sharding, with another Key than that of [ShardByNamespace], and in a dry run there is one
// informer, which make makes for all namespaces.
func InShards[O Object](
	m *Manager, options InformerOptions, make func(namespace string) cache.TypedSharedIndexInformer[O],
) cache.TypedSharedIndexInformer[O] {
	if m.shards == nil || !m.shards.byNamespace {
		return Standalone[O](make(metav1.NamespaceAll), options)
	}
	namespaces, err := m.shardNamespaces()
	if err != nil {
		m.setup.mistake(err)
		return Standalone[O](make(metav1.NamespaceAll), options)
	}
	informer := InNamespaces(namespaces.set, options, make)
	if each, ok := informer.(*namespacedInformer[O]); ok {
		namespaces.use(each.checkers)
	}
	return informer
}

// shardNamespaces returns the set of the namespaces in this replica's slots, and makes it if there is none. The
// manager runs what it needs.
func (m *Manager) shardNamespaces() (*shardNamespaces, error) {
	m.shards.mu.Lock()
	defer m.shards.mu.Unlock()
	if m.shards.namespaces != nil {
		return m.shards.namespaces, nil
	}
	client, err := metadata.NewForConfig(m.Config())
	if err != nil {
		return nil, fmt.Errorf("make a client for the namespaces of this replica's slots: %w", err)
	}
	all := metadatainformer.NewFilteredMetadataInformer(
		client, corev1.SchemeGroupVersion.WithResource("namespaces"), "", 0, nil, nil).Informer()
	n, err := newShardNamespaces(all, m.shards.needs, m.options.SyncTimeout)
	if err != nil {
		return nil, err
	}
	kind := schema.GroupKind{Kind: "Namespace"}
	m.AddInformer(Standalone[*metav1.PartialObjectMetadata](all, InformerOptions{Kind: kind}), InformerOptions{})
	m.setup.addFeeder(n)
	m.shards.namespaces = n
	return n, nil
}
