// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// Options says what to start. The zero value starts etcd and an API server.
type Options struct {
	// Version is the version of Kubernetes, one of assets.KubernetesVersions,
	// such as "v1.37.2". Another one is an error of Start that lists them. With
	// KUBEBUILDER_ASSETS set, it is an error if the binaries there are of a
	// version other than the one that is set here.
	// Default: assets.KubernetesVersion.
	Version string
	// Nodes is the number of simulated nodes. With none, nothing but etcd and
	// the API server runs: no controller acts, no pod is scheduled, and the
	// ServiceAccount admission plugin is off, because nobody would create the
	// service accounts which it demands of every pod. Default: 0.
	Nodes int
	// Controllers are the controllers of kube-controller-manager that run, by
	// the names that its flag --controllers takes. A name that it does not know
	// is an error of Start. They need Nodes: without, none of them runs. To have
	// more than the default ones:
	//
	//	append(controlplane.DefaultControllers(), "job-controller", "statefulset-controller")
	//
	// Start says which ones run, on Assets.Progress.
	// Default: DefaultControllers.
	Controllers []string
	// Dir is the folder for the components' logs, which stay there, and for
	// state, which Stop removes. It is created if need be.
	// Default: a temporary folder, which Stop removes with the logs.
	Dir string
	// APIServerArgs sets flags of the API server, by name without dashes
	// ("audit-log-path"). What is set here replaces the default of that flag.
	APIServerArgs map[string][]string
	// EtcdArgs sets flags of etcd in the same way ("enable-distributed-tracing").
	EtcdArgs map[string][]string
	// StartTimeout limits how long Start waits for what it started. Building
	// the binaries does not count. Default: 60 s.
	StartTimeout time.Duration
	// Assets says where binaries are cached and who is told when they are
	// built. Default: the user's cache folder, os.Stderr.
	Assets assets.Options
}

// ErrNoNodes is the error of Start when Options.Controllers names controllers and Options.Nodes is 0.
var ErrNoNodes = errors.New("Options.Controllers needs Options.Nodes: without nodes no controller runs; set Nodes to 1 or more")

// ErrOtherVersion is the error of Start when KUBEBUILDER_ASSETS holds another version than Options.Version.
var ErrOtherVersion = errors.New("the binaries are of another Kubernetes version than Options.Version: " +
	"unset KUBEBUILDER_ASSETS to have that version built, or leave Options.Version empty to take what is there")

func (o Options) check() error {
	if len(o.Controllers) > 0 && o.Nodes == 0 {
		return ErrNoNodes
	}
	return nil
}

// assets returns how the binaries are had.
func (o Options) assets() assets.Options {
	options := o.Assets
	options.Kubernetes = cmp.Or(o.Version, options.Kubernetes)
	return options
}

// checkServer checks that a server is of the version that was asked for.
func (o Options) checkServer(version string) error {
	if o.Version != "" && o.Version != version {
		return fmt.Errorf("%w: they say %s, and it is %s", ErrOtherVersion, version, o.Version)
	}
	return nil
}

func (o Options) controllers() []string {
	if len(o.Controllers) > 0 {
		return o.Controllers
	}
	return DefaultControllers()
}

// say tells the user what runs.
func (o Options) say(version string) {
	w := o.Assets.Progress
	if w == nil {
		w = os.Stderr
	}
	fmt.Fprintf(w, "control plane: Kubernetes %s runs %s\n", version, o.running())
}

func (o Options) running() string {
	var names []string
	for _, c := range o.components() {
		names = append(names, string(c))
	}
	text := strings.Join(names, ", ")
	if o.Nodes == 0 {
		return text + ", and no controllers"
	}
	return fmt.Sprintf("%s with %s, and the controllers %s", text, counted(o.Nodes, "node"), strings.Join(o.controllers(), ", "))
}

// counted returns a number of things in words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (o Options) components() []assets.Component {
	if o.Nodes > 0 {
		return assets.All()
	}
	return assets.Core()
}

func (o Options) startTimeout() time.Duration {
	if o.StartTimeout > 0 {
		return o.StartTimeout
	}
	return 60 * time.Second
}
