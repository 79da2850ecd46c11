// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"crypto/sha256"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
)

// maxAnswers bounds what is remembered of tokens, and of questions about users.
const maxAnswers = 256

// answers are what the API server has said lately. Tokens themselves are not kept.
type answers struct {
	remember time.Duration
	users    *cache.LRUExpireCache
	access   *cache.LRUExpireCache
}

// question is whether the sender of a token may make a request.
type question struct {
	token      [sha256.Size]byte
	verb, path string
}

func newAnswers(remember time.Duration) *answers {
	return &answers{
		remember: remember, users: cache.NewLRUExpireCache(maxAnswers), access: cache.NewLRUExpireCache(maxAnswers),
	}
}

// user returns who has sent a token, nil for an invalid one. known is false if the API server has to be asked.
func (a *answers) user(token string) (user *authenticationv1.UserInfo, known bool) {
	value, known := a.users.Get(sha256.Sum256([]byte(token)))
	user, _ = value.(*authenticationv1.UserInfo)
	return user, known
}

func (a *answers) setUser(token string, user *authenticationv1.UserInfo) {
	a.users.Add(sha256.Sum256([]byte(token)), user, a.remember)
}

func (a *answers) allowed(token, verb, path string) (allowed, known bool) {
	value, known := a.access.Get(question{sha256.Sum256([]byte(token)), verb, path})
	allowed, _ = value.(bool)
	return allowed, known
}

func (a *answers) setAllowed(token, verb, path string, allowed bool) {
	a.access.Add(question{sha256.Sum256([]byte(token)), verb, path}, allowed, a.remember)
}

// forAudience reports whether a token is for one of the audiences that were asked for. An authenticator that knows
// nothing of audiences names none.
func forAudience(wanted, got []string) bool {
	if len(wanted) == 0 {
		return true
	}
	return slices.ContainsFunc(got, func(audience string) bool { return slices.Contains(wanted, audience) })
}

func createOptions() metav1.CreateOptions { return metav1.CreateOptions{} }
