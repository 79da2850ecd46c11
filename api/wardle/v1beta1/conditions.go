// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Types of the conditions in a Flunder's status.
const (
	// ConditionReady is True when all replicas are available and the reference, if any, is ready.
	ConditionReady = "Ready"
	// ConditionProgressing is True while the controller waits for something that will happen
	// without anyone's help: a rollout, or a reference that may yet become ready.
	ConditionProgressing = "Progressing"
)

// Reasons of the conditions in a Flunder's status.
const (
	// ReasonAvailable: all replicas are available.
	ReasonAvailable = "Available"
	// ReasonRollingOut: the Deployment has not caught up with the spec yet.
	ReasonRollingOut = "RollingOut"
	// ReasonInvalidImage: spec.image is not an image reference.
	ReasonInvalidImage = "InvalidImage"
	// ReasonReferenceNotFound: spec.flunderReference names a Flunder that does not exist.
	ReasonReferenceNotFound = "ReferenceNotFound"
	// ReasonReferenceNotReady: the Flunder that spec.flunderReference names is not ready.
	ReasonReferenceNotReady = "ReferenceNotReady"
	// ReasonReferenceCycle: following the references leads back to this Flunder.
	ReasonReferenceCycle = "ReferenceCycle"
	// ReasonDeploymentConflict: a Deployment of the Flunder's name belongs to someone else.
	ReasonDeploymentConflict = "DeploymentConflict"
	// ReasonDeploymentRejected: the API server does not accept the Deployment.
	ReasonDeploymentRejected = "DeploymentRejected"
)
