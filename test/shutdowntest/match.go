// SPDX-License-Identifier: Apache-2.0

package shutdowntest

// Classes of verbs, for [Match.Verb].
const (
	Read  = "read"  // get, list and watch
	Write = "write" // everything else
)

// Match says which requests a rule is about. The zero value matches all.
type Match struct {
	// Verb is one of the API server's (see [Target]), or [Read] or [Write]. Default: any.
	Verb string
	// Resource is the resource with its group and subresource, such as configmaps, deployments.apps or
	// flunders.wardle.example.com/status. Default: any.
	Resource string
	// Namespace and Name narrow it down to one namespace or object. Default: any.
	Namespace, Name string
	// UserAgent narrows it down to the clients with this one. Default: any.
	UserAgent string
	// First limits a rule to so many matches; later requests go on to the next rule. Default: no limit.
	First int
}

func (m Match) matches(t Target, userAgent string) bool {
	return m.matchesVerb(t) &&
		(m.Resource == "" || m.Resource == t.Resource) &&
		(m.Namespace == "" || m.Namespace == t.Namespace) &&
		(m.Name == "" || m.Name == t.Name) &&
		(m.UserAgent == "" || m.UserAgent == userAgent)
}

func (m Match) matchesVerb(t Target) bool {
	switch m.Verb {
	case "":
		return true
	case Read:
		return t.ReadOnly()
	case Write:
		return !t.ReadOnly()
	}
	return m.Verb == t.Verb
}

// String is the match in a few words.
func (m Match) String() string {
	t := Target{Verb: m.Verb, Resource: m.Resource, Namespace: m.Namespace, Name: m.Name}
	if t == (Target{}) {
		return "any request"
	}
	if t.Verb == "" {
		t.Verb = "any verb on"
	}
	return t.String()
}
