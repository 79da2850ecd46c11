// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"net"
)

// Serve serves on a listener of the test.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := s.server(ctx)
	if err := s.secure(ctx, server); err != nil {
		return err
	}
	return s.serve(ctx, server, listener)
}
