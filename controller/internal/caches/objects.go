// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/kinds"
)

// objects is what the set-up says about the objects of an informer, and compares it with what comes.
// It is safe for concurrent use.
type objects struct {
	name string // of the cache

	mu     sync.Mutex
	kind   schema.GroupKind        // zero if nothing has told it
	goType reflect.Type            // nil if nothing has told it
	end    context.CancelCauseFunc // ends the run of the informer; nil before it
	wrong  error
}

// known returns the kind. ok is false if nothing has told it.
func (o *objects) known() (kind schema.GroupKind, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kind, !o.kind.Empty()
}

// expect adds what a user of the cache says about its objects.
func (o *objects) expect(user *User) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.kind.Empty() && o.kind != user.Kind {
		return fmt.Errorf("%s was added already, and has no %s: state the same kind wherever this informer "+
			"is used", o.name, user.Kind)
	}
	if o.goType != nil && user.Type != nil && o.goType != user.Type {
		return fmt.Errorf("%s was added already for objects of the Go type %s, and not %s: use the same Go "+
			"type wherever this informer is used", o.name, o.goType, user.Type)
	}
	o.kind = user.Kind
	if user.Type != nil {
		o.goType = user.Type
	}
	return nil
}

// checked returns the informer's transform: it checks what transform returns. An object that is not
// what the set-up says ends the run of the informer. It is not stored, because the handlers of
// another Go type cannot be called with it.
func (o *objects) checked(transform cache.TransformFunc) cache.TransformFunc {
	return func(object any) (any, error) {
		stored, err := transform(object)
		if err != nil {
			return stored, err
		}
		return stored, o.check(stored)
	}
}

func (o *objects) check(object any) error {
	if deleted, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = deleted.Obj
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	err := kinds.Check(object, o.kind, o.goType)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", o.name, err)
	if o.wrong == nil {
		o.wrong = err
	}
	if o.end != nil {
		o.end(err)
	}
	return err
}

// run runs the informer until ctx ends, or until an object comes that is not what the set-up says:
// that is an error.
func (o *objects) run(ctx context.Context, informer cache.SharedIndexInformer) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(context.Canceled)
	o.mu.Lock()
	o.end = end
	o.mu.Unlock()
	informer.RunWithContext(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrong
}
