// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// versions notices that the versions of a cache run backwards, as they do when etcd was restored from
// a backup. It is safe for concurrent use.
type versions struct {
	mu       sync.Mutex
	seen     string // the last
	rewinds  int64  // that the transport has told
	expected bool   // the transport has told of one, which the cache has not followed yet
}

// rewound reports whether the API server went from one version back to another. The transport notices
// that before a watch goes on. Otherwise the reflector has listed anew by itself, and the cache's
// current version is older than the last one.
func (v *versions) rewound(current string, told work.Rewind) (from, to string, yes bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if told.Count > v.rewinds {
		v.rewinds = told.Count
		v.expected = true
		v.seen = told.From
		return told.From, told.To, true
	}
	order, err := resourceversion.CompareResourceVersion(current, v.seen)
	if err != nil {
		if v.seen == "" {
			v.seen = current
		}
		return "", "", false
	}
	before, expected := v.seen, v.expected
	v.seen = current
	if order != 0 {
		v.expected = false
	}
	return before, current, order < 0 && !expected
}

// observe takes the version of the cache before it takes another object. A look from time to time
// would miss a version that is soon followed by an older one.
func (v *versions) observe(current string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	order, err := resourceversion.CompareResourceVersion(current, v.seen)
	if err == nil && order > 0 {
		v.seen = current
		v.expected = false
	} else if v.seen == "" {
		v.seen = current
	}
}
