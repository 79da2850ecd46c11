// SPDX-License-Identifier: Apache-2.0

// Package fence reads what the fence in the API server says when it refuses a write: see
// config/fence and docs/fence.md.
package fence

import "strings"

// The words of a refusal. The API server writes Denied before the message of each admission policy,
// and the message of the fence begins with Fenced.
const (
	Denied = "denied request: "
	Fenced = "fenced by lease"
)

// version comes before the resourceVersion of the Lease that the fence went by, and "]" comes after
// it.
const version = "resourceVersion="

// Parse finds a refusal in an answer, in whatever encoding. message is empty if there is none. seen
// is the resourceVersion of the Lease that the fence went by; it is empty if the message does not
// have it.
func Parse(answer string) (message, seen string) {
	for {
		_, rest, found := strings.Cut(answer, Denied)
		if !found {
			return "", ""
		}
		answer = rest
		after, ours := strings.CutPrefix(rest, Fenced)
		if !ours || after == "" || after[0] != ' ' && after[0] != ':' {
			continue
		}
		message = printable(rest)
		return upToVersion(message)
	}
}

// printable returns the printable ASCII at the beginning of a text.
func printable(text string) string {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return text[:i]
		}
	}
	return text
}

// upToVersion cuts a message after the first complete resourceVersion in it, if there is one.
func upToVersion(message string) (cut, seen string) {
	for at := 0; ; {
		i := strings.Index(message[at:], version)
		if i < 0 {
			return message, ""
		}
		at += i + len(version)
		end := at
		for end < len(message) && message[end] >= '0' && message[end] <= '9' {
			end++
		}
		if end > at && end < len(message) && message[end] == ']' {
			return message[:end+1], message[at:end]
		}
	}
}
