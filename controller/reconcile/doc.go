// SPDX-License-Identifier: Apache-2.0

// Package reconcile has the vocabulary of a reconcile: what it is about ([Request]), what it asks
// for ([Result], [TerminalError]), why it happens ([Reason]) and how it ended ([Outcome]).
//
// Package controller has the same [Request] and [Result] under its own name, so that most programs
// import only that package.
package reconcile
