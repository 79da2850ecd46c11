// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"strings"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// DefaultControllers returns the names of the controllers that run unless
// Options.Controllers says otherwise: what Deployments, ownership, namespaces,
// service accounts, access rules and nodes need to behave as in a real cluster.
// Every call returns a list of its own.
//
// Others that operators often need: "job-controller", "cronjob-controller",
// "statefulset-controller", "daemonset-controller", "endpointslice-controller",
// "endpoints-controller", "disruption-controller", "resourcequota-controller",
// "ttl-after-finished-controller". Without them their objects stay as they are.
func DefaultControllers() []string {
	return []string{
		"deployment-controller",
		"replicaset-controller",
		"garbage-collector-controller",
		"namespace-controller",
		"serviceaccount-controller",
		"root-ca-certificate-publisher-controller",
		"clusterrole-aggregation-controller",
		"validatingadmissionpolicy-status-controller",
		"node-lifecycle-controller", // removes the taint of a new node
	}
}

// startControllers starts what acts on the cluster. None of them serves
// anything (port 0), so that none needs a port.
func (p *ControlPlane) startControllers(binaries string, names []string) error {
	kubeconfig, ca := p.dirs.path("admin.kubeconfig"), p.dirs.path("ca.crt")
	if err := WriteKubeconfig(kubeconfig, p.Config()); err != nil {
		return err
	}
	if err := os.WriteFile(ca, p.admin.CAData, 0o600); err != nil {
		return fmt.Errorf("write the cluster's CA: %w", err)
	}
	for _, start := range []struct {
		component assets.Component
		args      []string
	}{
		{assets.ControllerManager, []string{
			"--controllers=" + strings.Join(names, ","),
			"--root-ca-file=" + ca,
			"--leader-elect=false", "--secure-port=0",
			"--kube-api-qps=200", "--kube-api-burst=400",
		}},
		{assets.Scheduler, []string{"--leader-elect=false", "--secure-port=0"}},
		{assets.Kwok, []string{
			"--config=" + binaries + "/" + assets.StagesFile,
			"--manage-all-nodes=true", "--node-lease-duration-seconds=40",
			"--node-ip=127.0.0.1", "--node-port=0", "--server-address=",
		}},
	} {
		start.args = append(start.args, "--kubeconfig="+kubeconfig)
		child, err := startProcess(p.dirs, binaries, start.component, start.args...)
		if err != nil {
			return err
		}
		p.children = append(p.children, child)
	}
	return nil
}
