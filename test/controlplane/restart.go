// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// RestartAPIServer kills the API server, starts it again at the same address and with the same certificates, and
// returns when it is ready. What was stored is there still: etcd goes on. When ctx ends, all processes of the control
// plane are killed, and the error is the cause.
func (p *ControlPlane) RestartAPIServer(ctx context.Context) error {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	if p.stopped {
		return errors.New("restart the API server: the control plane was stopped")
	}
	if err := p.killAPIServer(ctx); err != nil {
		return fmt.Errorf("restart the API server: %w", err)
	}
	if err := p.bounded(ctx, p.core.APIServer.Start); err != nil {
		return errors.Join(fmt.Errorf("restart the API server: %w", err), p.coreTails())
	}
	return p.awaitServer(ctx)
}

// killAPIServer kills the API server and waits until it is gone. It does not ask it to end: with watches open it
// would take a minute.
func (p *ControlPlane) killAPIServer(ctx context.Context) error {
	pid := pidIn(p.dirs.pidFile(assets.APIServer))
	if pid == 0 {
		return errors.New("its process is not known")
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for syscall.Kill(-pid, syscall.SIGKILL) == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
