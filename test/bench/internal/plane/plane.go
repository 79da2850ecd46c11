// SPDX-License-Identifier: Apache-2.0

// Package plane is the API server that the programs under test talk to: it is started, filled, and asked
// what it has served.
package plane

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/crds"
)

// Plane is a running API server with clients for the benchmark itself.
type Plane struct {
	Kubeconfig string // file
	Config     *rest.Config
	Kube       kubernetes.Interface
	Wardle     versioned.Interface
	Version    string

	plane *controlplane.ControlPlane
}

// Start starts etcd and kube-apiserver with the repository's custom resource. dir is for files.
func Start(ctx context.Context, root, dir string) (*Plane, error) {
	started, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return nil, err
	}
	p := &Plane{plane: started, Kubeconfig: filepath.Join(dir, "kubeconfig"), Version: started.Version()}
	if err := p.prepare(ctx, root); err != nil {
		return nil, errors.Join(err, p.Stop(ctx))
	}
	return p, nil
}

func (p *Plane) prepare(ctx context.Context, root string) (err error) {
	p.Config = p.plane.Config()
	if err := controlplane.WriteKubeconfig(p.Kubeconfig, p.Config); err != nil {
		return err
	}
	if p.Kube, err = kubernetes.NewForConfig(p.Config); err != nil {
		return err
	}
	if p.Wardle, err = versioned.NewForConfig(p.Config); err != nil {
		return err
	}
	return crds.Install(ctx, p.Config, filepath.Join(root, "config", "crd", "bases"))
}

// Stop ends the server, also when ctx has ended.
func (p *Plane) Stop(ctx context.Context) error {
	// The end of the benchmark must not keep it from cleaning up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return p.plane.Stop(ctx)
}
