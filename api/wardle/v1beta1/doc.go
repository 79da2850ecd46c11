// SPDX-License-Identifier: Apache-2.0

// Package v1beta1 holds the Flunder, the kind that Lanyard's sample controller
// reconciles: a named workload that may wait for another Flunder to be ready.
//
// +k8s:deepcopy-gen=package
// +kubebuilder:object:generate=false
// +groupName=wardle.example.com
package v1beta1
