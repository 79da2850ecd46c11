// SPDX-License-Identifier: Apache-2.0

// Package snapshot has the picture of a running manager ([Snapshot]) and the story of one object ([Story]).
// controller.Manager.Snapshot and controller.Manager.Stories return them, package page shows them in a browser,
// and the lanyard command shows them in a terminal.
//
// All types are plain data: nothing in them changes after they were returned. Their JSON names are stable: a
// field may be added, but none is renamed or gets another meaning. Lengths of time are in seconds, moments are in
// RFC 3339.
//
// There is no content of objects in them, only names, counts and versions. The text of an error that a program
// made may have content of objects, also of Secrets. So it is replaced by what is known of the error, unless
// ManagerOptions.ErrorTexts is set.
package snapshot
