// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// Settings is what a cache keeps. The zero value is the default.
type Settings struct {
	KeepManagedFields bool                // keep metadata.managedFields, which are dropped by default
	Transform         cache.TransformFunc // changes each object before it is stored; nil for none
}

// User is what uses a cache.
type User struct {
	// Kind is the kind of the objects.
	Kind schema.GroupKind
	// Stated is nil if nothing was said of what the cache keeps; otherwise it must come with the
	// first Add.
	Stated *Settings
	// Alone says that the informer is of no factory that the manager needs to know.
	Alone bool
	// Program says that the program itself reads the cache.
	Program bool
}
