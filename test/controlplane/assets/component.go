// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Versions that the recipes pin. KubernetesVersion is the one that is built unless Options.Kubernetes names another.
const (
	KubernetesVersion = "v1.36.3"
	EtcdVersion       = "v3.6.16"
	KwokVersion       = "v0.8.0"
)

// ErrUnknownVersion says that there is no recipe for a version of Kubernetes.
var ErrUnknownVersion = errors.New("unknown Kubernetes version")

// KubernetesVersions returns the versions that can be built, the oldest first.
func KubernetesVersions() []string { return []string{KubernetesVersion, "v1.37.2"} }

func checkVersion(version string) error {
	if slices.Contains(KubernetesVersions(), version) {
		return nil
	}
	return fmt.Errorf("%w %q: use one of %s", ErrUnknownVersion, version, strings.Join(KubernetesVersions(), ", "))
}

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

// recipe returns how the component is built for a version of Kubernetes.
func (c Component) recipe(version string) (recipe, error) {
	switch c {
	case Etcd:
		return recipe{"etcd", "go.etcd.io/etcd/server/v3", "-s -w", 50 * time.Second}, nil
	case APIServer:
		return kubernetesRecipe(c, version, 6*time.Minute), nil
	case ControllerManager:
		return kubernetesRecipe(c, version, 2*time.Minute), nil
	case Scheduler:
		return kubernetesRecipe(c, version, time.Minute), nil
	case Kwok:
		return recipe{"kwok", "sigs.k8s.io/kwok/cmd/kwok", "-s -w", 2 * time.Minute}, nil
	}
	return recipe{}, fmt.Errorf("unknown control plane component %q: known are %v", c, All())
}

// kubernetesRecipe sets the version that clients see; built without it, the
// API server calls itself v0.0.0-master.
func kubernetesRecipe(c Component, version string, typical time.Duration) recipe {
	const variables = "k8s.io/component-base/version."
	number := strings.Split(strings.TrimPrefix(version, "v"), ".")
	return recipe{
		module: "kubernetes-" + version,
		pkg:    "k8s.io/kubernetes/cmd/" + string(c),
		ldflags: "-s -w -X " + variables + "gitVersion=" + version +
			" -X " + variables + "gitMajor=" + number[0] +
			" -X " + variables + "gitMinor=" + number[1],
		typical: typical,
	}
}
