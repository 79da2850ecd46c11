// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
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
	added := &Informer{informers: m.informers}
	m.setup.add(func(run *lifecycle.Run) (err error) {
		if informer == nil {
			return errors.New("AddInformer: the informer is nil: pass one from a generated informer factory")
		}
		kind, err := m.kindOfUntyped(informer, &options)
		if err != nil {
			return fmt.Errorf("AddInformer: %w", err)
		}
		user := userOf(informer, kind)
		user.Alone, user.Program = true, true
		if stated := options.settings(); stated != nil {
			user.Stated = stated
		}
		added.cache, err = m.informers.use(informer, user, run)
		return err
	})
	return added
}

// Informer is an informer that was added to a manager by itself.
type Informer struct {
	informers *informers
	once      sync.Once
	cache     *caches.Cache // nil after a mistake
}

// Stop tells the manager that the program does not read the lister any more. The informer ends with
// its last user. It is safe for concurrent use.
func (i *Informer) Stop() {
	i.once.Do(func() {
		if i.cache != nil {
			i.informers.release(i.cache)
		}
	})
}

// kindOfUntyped returns the kind of the objects of an informer whose Go type is known by its name
// only.
func (m *Manager) kindOfUntyped(informer cache.SharedIndexInformer, options *InformerOptions) (schema.GroupKind, error) {
	if !options.Kind.Empty() {
		return options.Kind, nil
	}
	if own, ok := informer.(informerWithOptions); ok && !own.informerOptions().Kind.Empty() {
		return own.informerOptions().Kind, nil
	}
	name := informer.HasSyncedChecker().Name()
	kind, err := m.schemes.all().OfName(name[strings.LastIndex(name, "*"):])
	if err != nil {
		return kind, fmt.Errorf("%s: the kind of its objects is not known: %w", name, err)
	}
	return kind, nil
}
