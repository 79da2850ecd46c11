// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// server is an API server with one lease. What is set on it runs before a request is applied, and
// an error from there is the answer.
type server struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used
	*store
	before map[string]func(ctx context.Context) error // by verb

	mu   sync.Mutex
	sent []string // the verbs of all requests
}

func newServer() *server {
	return &server{store: newStore(), before: map[string]func(context.Context) error{}}
}

func (s *server) Leases(string) coordinationv1client.LeaseInterface { return s }

func (s *server) receive(ctx context.Context, verb string) error {
	s.mu.Lock()
	s.sent = append(s.sent, verb)
	before := s.before[verb]
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(ctx)
}

// on sets what runs before requests of this verb are applied.
func (s *server) on(verb string, before func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before[verb] = before
}

// requests returns the verbs of all requests, and forgets them.
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func (s *server) Get(
	ctx context.Context, _ string, _ metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	if err := s.receive(ctx, "get"); err != nil {
		return nil, err
	}
	return s.get()
}

func (s *server) Create(
	ctx context.Context, lease *coordinationv1.Lease, _ metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	if err := s.receive(ctx, "create"); err != nil {
		return nil, err
	}
	return s.create(0, lease)
}

func (s *server) Update(
	ctx context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions,
) (*coordinationv1.Lease, error) {
	if err := s.receive(ctx, "update"); err != nil {
		return nil, err
	}
	return s.update(0, lease)
}
