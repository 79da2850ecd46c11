// SPDX-License-Identifier: Apache-2.0

// Package assets builds the binaries of a Kubernetes control plane from their
// Go modules, once, and keeps them in the user's cache folder.
//
// The modules to build are embedded as recipes: a go.mod and go.sum that hold
// nothing but tool directives, one for each version of Kubernetes. A recipe is written to a work folder below the
// cache and built there with the go command found in PATH, so what is built
// is pinned by checksum, and the heavy module graphs stay out of everybody's
// go.mod, including the one of this package.
//
// An entry of the cache is complete or it is not used: a binary is renamed
// into place after it has been built, its manifest is written after that, and
// an entry which does not match its manifest is built again. Processes that
// want the same entry at the same time wait for each other on a file lock.
package assets
