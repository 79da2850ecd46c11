// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"errors"

	"k8s.io/client-go/tools/cache"
)

// Union reads the caches of several namespaces as one. It cannot be written.
type Union struct {
	cache.Indexer // answers what a union does not have
	of            func(namespace string) cache.Indexer
	parts         func() []cache.Indexer
}

var _ cache.Indexer = (*Union)(nil)

// NewUnion makes a union of the indexers that parts returns. of returns that of a namespace, or nil.
func NewUnion(
	empty cache.Indexer, of func(namespace string) cache.Indexer, parts func() []cache.Indexer,
) *Union {
	return &Union{Indexer: empty, of: of, parts: parts}
}

func readOnly() error { return errors.New("the caches of several namespaces can only be read") }

// Add fails.
func (u *Union) Add(any) error { return readOnly() }

// Update fails.
func (u *Union) Update(any) error { return readOnly() }

// Delete fails.
func (u *Union) Delete(any) error { return readOnly() }

// Replace fails.
func (u *Union) Replace([]any, string) error { return readOnly() }

// List returns the objects of all namespaces.
func (u *Union) List() (all []any) {
	for _, part := range u.parts() {
		all = append(all, part.List()...)
	}
	return all
}

// ListKeys returns the keys of all namespaces.
func (u *Union) ListKeys() (all []string) {
	for _, part := range u.parts() {
		all = append(all, part.ListKeys()...)
	}
	return all
}

// Get returns the object with the key of obj.
func (u *Union) Get(obj any) (item any, exists bool, err error) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj)
	if err != nil {
		return nil, false, err
	}
	return u.GetByKey(key)
}

// GetByKey returns the object with a key, from the cache of its namespace.
func (u *Union) GetByKey(key string) (item any, exists bool, err error) {
	namespace, _, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return nil, false, err
	}
	if part := u.of(namespace); part != nil {
		return part.GetByKey(key)
	}
	return nil, false, nil
}

// Index returns the objects that share an index value with obj.
func (u *Union) Index(name string, obj any) (all []any, err error) {
	for _, part := range u.parts() {
		found, err := part.Index(name, obj)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// IndexKeys returns the keys of the objects with an index value.
func (u *Union) IndexKeys(name, value string) (all []string, err error) {
	for _, part := range u.parts() {
		found, err := part.IndexKeys(name, value)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// ByIndex returns the objects with an index value.
func (u *Union) ByIndex(name, value string) (all []any, err error) {
	for _, part := range u.parts() {
		found, err := part.ByIndex(name, value)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// ListIndexFuncValues returns the values of an index.
func (u *Union) ListIndexFuncValues(name string) (all []string) {
	for _, part := range u.parts() {
		all = append(all, part.ListIndexFuncValues(name)...)
	}
	return all
}

// GetIndexers returns the index functions, which are the same for all namespaces.
func (u *Union) GetIndexers() cache.Indexers {
	for _, part := range u.parts() {
		return part.GetIndexers()
	}
	return cache.Indexers{}
}

// AddIndexers fails: the function that makes the informers gives them their indexers.
func (u *Union) AddIndexers(cache.Indexers) error { return readOnly() }
