// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// ErrStartTimeout is the cause when Options.StartTimeout passed before the
// control plane was ready.
var ErrStartTimeout = errors.New("the control plane was not ready in time (see Options.StartTimeout)")

// ControlPlane is a running control plane. Its methods may be called from
// several goroutines.
type ControlPlane struct {
	dirs     *dirs
	guard    *guard
	core     *envtest.ControlPlane
	coreLogs *logFiles
	children []*process // in the order of their start

	admin   *rest.Config
	client  kubernetes.Interface
	version string

	stopping sync.Mutex
	stopped  bool
}

// Start builds what is missing, starts the control plane and returns when it
// is ready: the API server says so on /readyz and has the default namespace;
// with Options.Nodes, also every node is ready and untainted, and the default
// service account exists. It then says what runs, on Options.Assets.Progress.
//
// The context limits Start, not the life of the control plane: end that with
// Stop. If Start fails, or ctx ends, nothing that it started is left. The error
// names what was missing and ends with the log of a component that died.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("start control plane: %w", err)
	}
	binaries, err := assets.Ensure(ctx, o.assets(), o.components()...)
	if err != nil {
		return nil, fmt.Errorf("start control plane: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.startTimeout(), ErrStartTimeout)
	defer cancel()

	p := &ControlPlane{}
	if err := p.start(ctx, o, binaries); err != nil {
		// The tree's end must not keep us from cleaning up; Stop is bounded.
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start control plane: %w", err), p.Stop(stopCtx))
	}
	o.say(p.version)
	return p, nil
}

func (p *ControlPlane) start(ctx context.Context, o Options, binaries string) (err error) {
	if p.dirs, err = makeDirs(o.Dir); err != nil {
		return err
	}
	if p.guard, err = startGuard(p.dirs); err != nil {
		return err
	}
	if err := p.startCore(ctx, o, binaries); err != nil {
		return err
	}
	if err := p.awaitServer(ctx); err != nil {
		return err
	}
	if err := o.checkServer(p.version); err != nil {
		return err
	}
	if o.Nodes == 0 {
		return nil
	}
	if err := p.startControllers(binaries, o.controllers()); err != nil {
		return err
	}
	return p.awaitNodes(ctx, o.Nodes)
}

// Stop ends the components in the reverse order of their start, waits until
// they are gone and removes what they stored. A component that does not go
// within ten seconds is killed; when ctx ends, all that are left are killed.
// Stop thus always cleans up, also with a context that has already ended, and
// returns an error only when something could not be removed or had to be
// killed although ctx had not ended. A second call does nothing.
func (p *ControlPlane) Stop(ctx context.Context) error {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	if p.stopped {
		return nil
	}
	p.stopped = true

	var errs []error
	for i := len(p.children) - 1; i >= 0; i-- {
		errs = append(errs, p.children[i].stop(ctx))
	}
	errs = append(errs, p.stopCore(ctx), p.guard.dismiss(), p.dirs.remove())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop control plane: %w", err)
	}
	return nil
}

// Version returns what the API server says on /version, such as v1.36.3.
func (p *ControlPlane) Version() string { return p.version }

// Dir returns the folder with one log file per component, such as
// kube-apiserver.log.
func (p *ControlPlane) Dir() string { return p.dirs.root }
