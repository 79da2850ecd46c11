// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// Options says what to start. The zero value starts etcd and an API server.
type Options struct {
	// Nodes is the number of simulated nodes. With none, nothing but etcd and
	// the API server runs: no controller acts, no pod is scheduled, and the
	// ServiceAccount admission plugin is off, because nobody would create the
	// service accounts which it demands of every pod. Default: 0.
	Nodes int
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
