// SPDX-License-Identifier: Apache-2.0

package rbac

// scopes knows where a program needs its permissions.
type scopes struct {
	listed map[string]bool // the namespaces in which something is listed or watched
}

func scopesOf(used Used) scopes {
	s := scopes{listed: map[string]bool{}}
	for _, use := range used {
		if (use.Verb == "list" || use.Verb == "watch") && use.Name == "" && use.Namespace != "" {
			s.listed[use.Namespace] = true
		}
	}
	return s
}

// of returns the namespace of the Role that a use needs, or nothing if it needs a ClusterRole. What a
// reconcile function does in the namespace of its object is needed wherever objects are: in that
// namespace only, if the program lists there, and everywhere otherwise.
func (s scopes) of(use Use) string {
	switch {
	case use.Path != "", use.Namespace == "", use.Namespace == Any:
		return ""
	case use.onlyNamespace(), s.listed[use.Namespace]:
		return use.Namespace
	}
	return ""
}
