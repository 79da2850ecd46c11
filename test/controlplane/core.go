// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// stopTimeout is how long a component may take to end before it is killed.
const stopTimeout = 10 * time.Second

// startCore starts etcd and the API server and makes the admin's client.
func (p *ControlPlane) startCore(ctx context.Context, o Options, binaries string) error {
	if err := p.configureCore(ctx, o, binaries); err != nil {
		return err
	}
	if err := p.bounded(ctx, p.core.Start); err != nil {
		return errors.Join(err, p.coreTails())
	}
	user, err := p.core.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}},
		&rest.Config{QPS: -1})
	if err != nil {
		return fmt.Errorf("issue the admin's certificate: %w", err)
	}
	p.admin = user.Config()
	if p.client, err = kubernetes.NewForConfig(p.Config()); err != nil {
		return fmt.Errorf("make the admin's client: %w", err)
	}
	return nil
}

func (p *ControlPlane) configureCore(ctx context.Context, o Options, binaries string) error {
	etcd, err := writeLauncher(p.dirs, binaries, assets.Etcd)
	if err != nil {
		return err
	}
	apiServer, err := writeLauncher(p.dirs, binaries, assets.APIServer)
	if err != nil {
		return err
	}
	if p.coreLogs, err = openLogs(p.dirs); err != nil {
		return err
	}
	limit := o.startTimeout()
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	p.core = &envtest.ControlPlane{
		Etcd: &envtest.Etcd{
			Path: etcd, DataDir: p.dirs.path("data"),
			StartTimeout: limit, StopTimeout: stopTimeout,
			Out: p.coreLogs.etcd, Err: p.coreLogs.etcd,
		},
		APIServer: &envtest.APIServer{
			Path: apiServer, CertDir: p.dirs.path("certs"),
			StartTimeout: limit, StopTimeout: stopTimeout,
			Out: p.coreLogs.apiServer, Err: p.coreLogs.apiServer,
		},
	}
	p.configureServer(o)
	return nil
}

func (p *ControlPlane) configureServer(o Options) {
	args := p.core.APIServer.Configure()
	// Otherwise it looks for an address of the machine to advertise, and does
	// not start where there is none; nobody here needs the kubernetes endpoints.
	args.Set("advertise-address", "127.0.0.1")
	args.Set("endpoint-reconciler-type", "none")
	if o.Nodes > 0 {
		// envtest turns the ServiceAccount plugin off.
		args.Disable("disable-admission-plugins")
	}
	for name, values := range o.APIServerArgs {
		args.Set(name, values...)
	}
	for name, values := range o.EtcdArgs {
		p.core.Etcd.Configure().Set(name, values...)
	}
}

// stopCore ends the API server, then etcd.
func (p *ControlPlane) stopCore(ctx context.Context) error {
	if p.core == nil {
		return p.coreLogs.close()
	}
	err := p.bounded(ctx, p.core.Stop)
	if context.Cause(ctx) != nil {
		err = nil // killed as asked
	}
	// envtest does not wait for what it had to kill.
	return errors.Join(err, p.awaitGone(), p.coreLogs.close())
}

// coreTails explains a failed start: envtest only says that it timed out.
func (p *ControlPlane) coreTails() error {
	text := p.dirs.tail(assets.Etcd)
	if info, err := os.Stat(p.dirs.log(assets.APIServer)); err == nil && info.Size() > 0 {
		text = p.dirs.tail(assets.APIServer)
	}
	return errors.New(text)
}
