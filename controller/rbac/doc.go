// SPDX-License-Identifier: Apache-2.0

// Package rbac finds out which permissions a program needs, from what the program does. A [Recorder]
// notes each request to the API server as the server's RBAC authorizer sees it. [Used.Roles] writes
// Roles and ClusterRoles that allow exactly that. [Compare] lists what was used but is not granted by
// given manifests, and what they grant but was never used; [Check] does the same in a test.
//
// A recording knows nothing of code that was not run: merge the recordings of several runs with
// [Merge], and state with [Used.Also] what no test reaches.
//
// The recorder sees requests. It does not see what the API server asks its authorizer besides them,
// which are rare: the owner's finalizers when the admission plugin OwnerReferencesPermissionEnforcement is
// on, and the verbs escalate, bind, sign, approve and attest. State these with [Used.Also].
package rbac
