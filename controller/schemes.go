// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/lanyard-k8s/lanyard/controller/internal/kinds"
)

// schemes knows kinds by their Go types. It is safe for concurrent use.
type schemes struct {
	mu    sync.Mutex
	added kinds.Schemes
}

// all returns the schemes, client-go's own last.
func (s *schemes) all() kinds.Schemes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.added), scheme.Scheme)
}

func (s *schemes) add(scheme *runtime.Scheme) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added = append(s.added, scheme)
}
