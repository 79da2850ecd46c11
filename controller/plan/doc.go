// SPDX-License-Identifier: Apache-2.0

// Package plan is what a dry run of a manager has found out: what its controllers would change, where they
// failed, and what could not be followed.
package plan
