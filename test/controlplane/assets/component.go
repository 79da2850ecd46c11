// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"fmt"
	"strings"
	"time"
)

// Versions that the recipes pin.
const (
	KubernetesVersion = "v1.36.3"
	EtcdVersion       = "v3.6.16"
	KwokVersion       = "v0.8.0"
)

// Component is a binary of the control plane, by the name of its file.
type Component string

// The components that can be built.
const (
	Etcd              Component = "etcd"
	APIServer         Component = "kube-apiserver"
	ControllerManager Component = "kube-controller-manager"
	Scheduler         Component = "kube-scheduler"
	Kwok              Component = "kwok"
)

// StagesFile is the file that comes with Kwok: the stages which make
// simulated nodes and pods ready at once.
const StagesFile = "kwok-stages.yaml"

// Core returns what an API server needs to run.
func Core() []Component { return []Component{Etcd, APIServer} }

// All returns every component: Core and what runs Deployments on simulated
// nodes.
func All() []Component { return append(Core(), ControllerManager, Scheduler, Kwok) }

// files returns the names of the files that make up the component, the binary
// first.
func (c Component) files() []string {
	if c == Kwok {
		return []string{string(c), StagesFile}
	}
	return []string{string(c)}
}

// recipe says how a component is built.
type recipe struct {
	module  string        // name of the embedded go.mod and go.sum, without suffix
	pkg     string        // the main package
	ldflags string        // flags for the linker
	typical time.Duration // on two cores, with an empty build cache
}

func (c Component) recipe() (recipe, error) {
	switch c {
	case Etcd:
		return recipe{"etcd", "go.etcd.io/etcd/server/v3", "-s -w", 50 * time.Second}, nil
	case APIServer:
		return kubernetesRecipe(c, 6*time.Minute), nil
	case ControllerManager:
		return kubernetesRecipe(c, 2*time.Minute), nil
	case Scheduler:
		return kubernetesRecipe(c, time.Minute), nil
	case Kwok:
		return recipe{"kwok", "sigs.k8s.io/kwok/cmd/kwok", "-s -w", 2 * time.Minute}, nil
	}
	return recipe{}, fmt.Errorf("unknown control plane component %q: known are %v", c, All())
}

// kubernetesRecipe sets the version that clients see; built without it, the
// API server calls itself v0.0.0-master.
func kubernetesRecipe(c Component, typical time.Duration) recipe {
	const version = "k8s.io/component-base/version."
	number := strings.Split(strings.TrimPrefix(KubernetesVersion, "v"), ".")
	return recipe{
		module: "kubernetes",
		pkg:    "k8s.io/kubernetes/cmd/" + string(c),
		ldflags: "-s -w -X " + version + "gitVersion=" + KubernetesVersion +
			" -X " + version + "gitMajor=" + number[0] +
			" -X " + version + "gitMinor=" + number[1],
		typical: typical,
	}
}
