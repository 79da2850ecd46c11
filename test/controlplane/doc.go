// SPDX-License-Identifier: Apache-2.0

// Package controlplane starts a real Kubernetes control plane on this machine,
// for tests and for demonstrations.
//
// Start brings up etcd and kube-apiserver; with Options.Nodes it adds
// kube-controller-manager, kube-scheduler and simulated nodes (kwok), so that
// a Deployment becomes available as in a real cluster. The binaries are built
// and cached by package assets, for the version of Kubernetes that
// Options.Version names, unless KUBEBUILDER_ASSETS names a folder that holds
// them.
//
// Everything listens on 127.0.0.1 only. Nothing outlives the process that
// called Start: Stop ends and removes everything, and if the process is killed
// before that, a small guard process does.
package controlplane
