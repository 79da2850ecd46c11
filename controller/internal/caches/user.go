// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// User is what uses a cache.
type User struct {
	// Kind is the kind of the objects.
	Kind schema.GroupKind
	// Type is the Go type of the objects; nil if it is not known.
	Type reflect.Type
	// Stated is nil if nothing was said of what the cache keeps; otherwise it must come with the
	// first Add.
	Stated *Settings
	// Alone says that the informer is of no factory that the manager needs to know.
	Alone bool
	// Late says that it uses the cache only since the manager runs.
	Late bool
	// Program says that the program itself reads the cache.
	Program bool
}
