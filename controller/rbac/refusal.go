// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/internal/peek"
)

// refusedVerb returns the verb that the API server's authorizer has refused, or nothing. Admission,
// quotas and policies answer 403 too, but only the authorizer says "cannot VERB resource". The answer
// can be read again.
func refusedVerb(resp *http.Response, err error) string {
	if err != nil {
		return verbIn(err.Error()) // client-go's WebSockets make an error of the answer
	}
	if resp.StatusCode != http.StatusForbidden || resp.Body == nil {
		return ""
	}
	return verbIn(string(peek.Body(resp)))
}

// verbIn finds the verb in a message of the authorizer. The message is in plain text in every encoding
// of an answer.
func verbIn(message string) string {
	const mark = " cannot "
	for {
		i := strings.Index(message, mark)
		if i < 0 {
			return verbOfUpgrade(message)
		}
		message = message[i+len(mark):]
		verb, after, _ := strings.Cut(message, " ")
		if strings.HasPrefix(after, "resource ") || strings.HasPrefix(after, "path ") {
			return verb
		}
	}
}

// verbOfUpgrade finds the refusal of what the API server asks besides a GET of pods/exec, for which it
// asks for create: it says which pod, and after "is forbidden: " nothing. Everyone else gives a reason.
func verbOfUpgrade(message string) string {
	const mark = " is forbidden: "
	i := strings.Index(message, mark)
	if i < 0 || !strings.Contains(message[:i], "pods ") {
		return ""
	}
	if rest := message[i+len(mark):]; rest == "" || rest[0] == '"' || rest[0] < ' ' {
		return "create"
	}
	return ""
}
