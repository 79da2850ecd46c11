// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// maxNamed bounds the objects that are remembered because their transform failed.
const maxNamed = 100

// Settings is what a cache keeps. The zero value is the default.
type Settings struct {
	KeepManagedFields bool                // keep metadata.managedFields, which are dropped by default
	Transform         cache.TransformFunc // changes each object before it is stored; nil for none
}

// transformer applies the settings of a cache to each object before it is stored. A transform of the
// user that fails loses no object: client-go would leave out an object for which it returns an error,
// and the process would end by a panic.
type transformer struct {
	settings Settings
	busy     Busy
	again    Again

	mu     sync.Mutex
	failed map[string]error // by the key of the object
	logger klog.Logger
}

// logTo makes the transformer log to the logger of a context. client-go passes it no context.
func (t *transformer) logTo(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logger = klog.FromContext(ctx)
}

// apply returns the object to store, and whether the user's transform has failed for it.
func (t *transformer) apply(name string, obj any) (kept any, failed bool) {
	if !t.settings.KeepManagedFields {
		if object, err := meta.Accessor(obj); err == nil {
			object.SetManagedFields(nil)
		}
	}
	if t.settings.Transform == nil {
		return obj, false
	}
	asItCame := copyOf(obj) // the transform may change a part of the object and fail then
	changed, err := t.call(obj)
	if err == nil {
		err = mustBeSame(asItCame, changed)
	}
	t.note(keyOf(asItCame), err)
	if err == nil {
		return changed, false
	}
	t.tell(name, asItCame, err)
	return asItCame, true
}

// call calls the user's transform. A panic in it is an error.
func (t *transformer) call(obj any) (changed any, err error) {
	t.busy.Begin("transform", obj)
	defer t.busy.End()
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	return t.settings.Transform(obj)
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func copyOf(obj any) any {
	if object, ok := obj.(runtime.Object); ok {
		return object.DeepCopyObject()
	}
	return obj
}

func keyOf(obj any) string {
	key, _ := cache.MetaNamespaceKeyFunc(obj)
	return key
}

// mustBeSame returns an error if a transform has made another object. client-go would lose it, and
// handlers, which know their type, would panic.
func mustBeSame(before, after any) error {
	switch {
	case reflect.TypeOf(before) != reflect.TypeOf(after):
		return fmt.Errorf("it returned a %T for a %T", after, before)
	case reflect.ValueOf(after).Kind() == reflect.Pointer && reflect.ValueOf(after).IsNil():
		return fmt.Errorf("it returned a nil %T", after)
	case keyOf(before) != keyOf(after):
		return fmt.Errorf("it changed the name from %q to %q", keyOf(before), keyOf(after))
	}
	return nil
}

func (t *transformer) note(key string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		delete(t.failed, key)
	case len(t.failed) < maxNamed:
		if t.failed == nil {
			t.failed = map[string]error{}
		}
		t.failed[key] = err
	}
}

func (t *transformer) tell(name string, object any, err error) {
	due, missed := t.again.Due(err.Error(), time.Now())
	if !due {
		return
	}
	t.mu.Lock()
	logger := t.logger
	t.mu.Unlock()
	logger = logger.WithValues("informer", name, "object", nameOf(object), "suppressed", missed)
	if panicked, ok := err.(*panicError); ok { //nolint:errorlint // it is never wrapped
		logger = logger.WithValues("stack", string(panicked.stack))
	}
	logger.Error(err, "A transform failed, the object is kept as it came")
}

// broken returns an error that names an object for which the transform has failed, if it is in the
// store still.
func (t *transformer) broken(name string, store cache.Store) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.failed {
		if _, exists, _ := store.GetByKey(key); !exists {
			delete(t.failed, key)
		}
	}
	n := len(t.failed)
	for key, err := range t.failed {
		return fmt.Errorf("%s: the transform failed for %d objects, which are kept as they came, such as "+
			"%s: %w", name, n, key, err)
	}
	return nil
}
