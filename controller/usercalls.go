// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
)

// userCalls makes the calls of filters and mappings, which run on a goroutine of client-go. It knows
// which one runs, and contains panics, which on that goroutine would end the process.
type userCalls struct {
	caches.Busy
	cache *caches.Cache
	again caches.Again
}

// call calls a function of the user for an object. panicked reports whether it panicked; instead says
// in the log what is done instead.
func (c *userCalls) call(ctx context.Context, what string, object klog.KMetadata, instead string, f func()) (panicked bool) {
	c.Begin(what, object)
	defer c.End()
	defer func() {
		if p := recover(); p != nil {
			panicked = true
			c.tell(ctx, what, object, instead, p)
		}
	}()
	f()
	return false
}

func (c *userCalls) tell(ctx context.Context, what string, object klog.KMetadata, instead string, value any) {
	c.cache.Count(caches.Handler)
	err := fmt.Errorf("panic: %v", value)
	due, missed := c.again.Due(what+err.Error(), time.Now())
	if !due {
		return
	}
	klog.FromContext(ctx).Error(err, "A "+what+" panicked, "+instead, "informer", c.cache.Name(),
		"object", klog.KObj(object), "suppressed", missed, "stack", string(debug.Stack()))
}
