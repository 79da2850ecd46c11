// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// bounded runs f, which starts or stops processes and knows no context. When
// ctx ends, the processes are killed, which ends f, and the error is the cause.
func (p *ControlPlane) bounded(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		p.dirs.kill()
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w: %w", context.Cause(ctx), err)
			}
			return context.Cause(ctx)
		case <-again.C:
		}
	}
}

// awaitGone kills what is left and waits until it has been reaped.
func (p *ControlPlane) awaitGone() error {
	deadline := time.Now().Add(stopTimeout)
	for {
		p.dirs.kill()
		var left []string
		for _, pid := range p.dirs.pids() {
			if syscall.Kill(pid, 0) == nil {
				left = append(left, fmt.Sprint(pid))
			}
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %s do not end although killed", strings.Join(left, ", "))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
