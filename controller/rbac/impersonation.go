// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/http"
	"net/url"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// serviceAccountPrefix is before the namespace and name in the user name of a service account.
const serviceAccountPrefix = "system:serviceaccount:"

// impersonation returns the uses of a request that is made as another user.
func impersonation(header http.Header) []Use {
	user := header.Get(authenticationv1.ImpersonateUserHeader)
	if user == "" {
		return nil
	}
	uses := []Use{impersonate("", "users", user)}
	if account, ok := strings.CutPrefix(user, serviceAccountPrefix); ok {
		namespace, name, _ := strings.Cut(account, ":")
		uses[0] = impersonate("", "serviceaccounts", name)
		uses[0].Namespace = namespace
	}
	for _, group := range header.Values(authenticationv1.ImpersonateGroupHeader) {
		uses = append(uses, impersonate("", "groups", group))
	}
	if uid := header.Get(authenticationv1.ImpersonateUIDHeader); uid != "" {
		uses = append(uses, impersonate(authenticationv1.GroupName, "uids", uid))
	}
	for name, values := range header {
		key, ok := strings.CutPrefix(name, authenticationv1.ImpersonateUserExtraHeaderPrefix)
		if !ok {
			continue
		}
		key = strings.ToLower(key)
		if decoded, err := url.PathUnescape(key); err == nil {
			key = decoded
		}
		for _, value := range values {
			uses = append(uses, impersonate(authenticationv1.GroupName, "userextras/"+key, value))
		}
	}
	return uses
}

func impersonate(group, resource, name string) Use {
	return Use{Verb: "impersonate", Group: group, Resource: resource, Name: name}
}
