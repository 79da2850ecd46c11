// SPDX-License-Identifier: Apache-2.0

// Package report has the typed accounts of what a manager runs and how it ended: the report of a
// shutdown ([Shutdown]) and of a term of leadership ([Term]), the pieces of work in them ([Work]),
// the API calls of those ([Call]), and the calls that belong to none ([Orphan]). All types are plain data; nothing in them changes after they
// were returned.
package report
