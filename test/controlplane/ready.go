// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// await calls missing until it returns nil, and returns its last error with
// the cause when ctx ends. A component that ends meanwhile ends the wait.
func (p *ControlPlane) await(ctx context.Context, missing func(context.Context) error) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var last error
	for {
		err := missing(ctx)
		for _, child := range p.children {
			if gone := child.ended(); gone != nil {
				return gone
			}
		}
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // keep what was missing, not that time is up
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-again.C:
		}
	}
}

// awaitServer waits until the API server is ready and asks for its version.
func (p *ControlPlane) awaitServer(ctx context.Context) error {
	if err := p.await(ctx, p.serverMissing); err != nil {
		return errors.Join(err, errors.New(p.dirs.tail(assets.APIServer)))
	}
	version, err := p.client.Discovery().ServerVersionWithContext(ctx)
	if err != nil {
		return fmt.Errorf("ask the API server for its version: %w", err)
	}
	p.version = version.GitVersion
	return nil
}

func (p *ControlPlane) serverMissing(ctx context.Context) error {
	if err := p.client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return fmt.Errorf("API server is not ready: %w", err)
	}
	if _, err := p.client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{}); err != nil {
		return fmt.Errorf("API server has not created the default namespace: %w", err)
	}
	return nil
}
