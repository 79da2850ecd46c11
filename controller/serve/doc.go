// SPDX-License-Identifier: Apache-2.0

// Package serve has the HTTP servers of a program: probes for the kubelet and metrics for Prometheus.
//
// A [Server] is added to a manager with controller.Manager.AddServer, so that it answers until
// everything else has returned. Package program adds the servers that its flags ask for.
package serve
