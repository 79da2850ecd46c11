// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"sync"

	"k8s.io/client-go/tools/cache"

	"github.com/lanyard-k8s/lanyard/controller/internal/caches"
	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

// AddInformer makes the manager run informer. Call it for an informer that no controller uses and
// whose lister the program reads, if the informer is of no factory that was added with [AddFactory].
// Controllers start only when its cache has synced.
//
// [New], [Owns] and [Watches] add their informers themselves. To set the InformerOptions of an
// informer of a factory, call AddInformer before New, Owns or Watches.
func (m *Manager) AddInformer(informer cache.SharedIndexInformer, options InformerOptions) *Informer {
	if several, ok := informer.(interface {
		eachUntyped(use func(cache.SharedIndexInformer) (stop func())) (stop func())
	}); ok {
		return &Informer{stop: several.eachUntyped(func(one cache.SharedIndexInformer) func() {
			return m.AddInformer(one, options).Stop
		})}
	}
	added := &Informer{}
	m.setup.add(func(run *lifecycle.Run) error {
		c, err := m.useInformer(informer, options, run)
		if err != nil {
			return fmt.Errorf("AddInformer: %w", err)
		}
		added.stop = func() { m.informers.release(c) }
		return nil
	})
	return added
}

func (m *Manager) useInformer(
	informer cache.SharedIndexInformer, options InformerOptions, run *lifecycle.Run,
) (*caches.Cache, error) {
	if informer == nil {
		return nil, errors.New("the informer is nil: pass one from a generated informer factory")
	}
	kind, goType, err := m.kindOfUntyped(informer, &options)
	if err != nil {
		return nil, err
	}
	user := userOf(informer, kind, goType)
	user.Program = true
	if stated := options.settings(); stated != nil {
		user.Stated = stated
	}
	return m.informers.use(informer, user, run)
}

// Informer is an informer that was added to a manager by itself.
type Informer struct {
	once sync.Once
	stop func() // nil after a mistake
}

// Stop tells the manager that the program does not read the lister any more. The informer ends with
// its last user. It is safe for concurrent use.
func (i *Informer) Stop() {
	i.once.Do(func() {
		if i.stop != nil {
			i.stop()
		}
	})
}
