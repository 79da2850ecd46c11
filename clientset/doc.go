// SPDX-License-Identifier: Apache-2.0

// Package clientset holds the clients of the wardle.example.com API, both generated. In versioned, every
// call has a context as its first argument and options by value, as KEP-1601 has it. In deprecated is the
// snapshot from before that, without contexts, for callers on their way.
package clientset
