// SPDX-License-Identifier: Apache-2.0

// Package moved has one operator twice: in before as it is written with controller-runtime, and in after
// moved to Lanyard. One test runs both. docs/from-controller-runtime.md goes from the one to the other.
//
// The operator runs a Deployment for each Flunder, waits for the Flunder that it refers to, and keeps a
// DNS record for it, which it removes before the Flunder goes.
package moved
