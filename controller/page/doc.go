// SPDX-License-Identifier: Apache-2.0

// Package page shows in a browser what a manager does now, and the story of an object: why it is reconciled, what
// it waits for, and what it has written. [New] returns an http.Handler, for any server. Package program has a flag
// for it.
//
// The page comes from the binary, asks nobody else for anything, and runs under a strict Content-Security-Policy. It
// has names, counts and versions, and no content of objects. But names alone may be worth protecting: the handler does
// not ask who is there. Serve it on a loopback address, or behind a serve.Guard.
package page
