// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// GuardOptions configures a [Guard]. The zero value works.
type GuardOptions struct {
	// Audiences is for whom a token has to be. Default: none, with which it has to be for the API server.
	Audiences []string

	// Remember is for how long an answer of the API server is used again. So it is also for how long a permission
	// that was taken away still works. Default: 10 seconds.
	Remember time.Duration
}

// Guard lets through only requests whose sender may make them. It asks the API server who has sent the bearer token,
// by a TokenReview, and whether that user may, by a SubjectAccessReview about the path and the method of the request, as
// for the API server's own /metrics. All others are refused, also when the API server does not answer.
//
// The program's user needs the permission to create tokenreviews.authentication.k8s.io and
// subjectaccessreviews.authorization.k8s.io.
type Guard struct {
	tokens  authenticationv1client.TokenReviewInterface
	access  authorizationv1client.SubjectAccessReviewInterface
	options GuardOptions
	known   *answers
	asking  chan struct{} // holds an element for each request that asks the API server
}

// What is bounded.
const (
	maxAsking     = 16               // requests that ask the API server at the same time
	reviewTimeout = 10 * time.Second // for each review
)

// NewGuard makes a guard that asks the API server of config. With a manager, take the configuration from
// controller.Manager.Config.
func NewGuard(config *rest.Config, options GuardOptions) (*Guard, error) {
	tokens, err := authenticationv1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for TokenReviews: %w", err)
	}
	access, err := authorizationv1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for SubjectAccessReviews: %w", err)
	}
	options.Remember = cmp.Or(options.Remember, 10*time.Second)
	return &Guard{
		tokens: tokens.TokenReviews(), access: access.SubjectAccessReviews(), options: options,
		known: newAnswers(options.Remember), asking: make(chan struct{}, maxAsking),
	}, nil
}

// Check returns an error if the program may not make reviews. That the API server does not answer is none: requests are
// refused until it does.
func (g *Guard) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	_, err := g.review(ctx, "not a token")
	if err == nil {
		_, err = g.ask(ctx, &authenticationv1.UserInfo{Username: "nobody"}, "get", "/")
	}
	switch {
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		return fmt.Errorf("who may read it cannot be asked: %w (bind the ClusterRole system:auth-delegator to the "+
			"program's service account, as the component config/secure does)", err)
	case err != nil && ctx.Err() == nil:
		klog.FromContext(ctx).Error(err, "Who may read it could not be asked yet")
	}
	return nil
}

// Handler returns a handler that has next answer the requests that are let through.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a bearer token is needed", http.StatusUnauthorized)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), reviewTimeout)
		defer cancel()
		user, allowed, err := g.allows(ctx, token, strings.ToLower(r.Method), r.URL.Path)
		switch {
		case err != nil:
			klog.FromContext(r.Context()).Error(err, "Refused a request, because who may make it cannot be asked")
			http.Error(w, "who may read this cannot be asked now", http.StatusServiceUnavailable)
		case user == nil:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token is not valid", http.StatusUnauthorized)
		case !allowed:
			http.Error(w, fmt.Sprintf("%q may not %s %s", user.Username, strings.ToLower(r.Method), r.URL.Path), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// allows returns who has sent a token, nil if it is not valid, and whether that user may make a request.
func (g *Guard) allows(ctx context.Context, token, verb, path string) (user *authenticationv1.UserInfo, allowed bool, err error) {
	user, known := g.known.user(token)
	if known && user == nil {
		return nil, false, nil
	}
	if known {
		if allowed, ok := g.known.allowed(token, verb, path); ok {
			return user, allowed, nil
		}
	}
	select {
	case g.asking <- struct{}{}:
		defer func() { <-g.asking }()
	case <-ctx.Done():
		return nil, false, fmt.Errorf("too many requests ask the API server: %w", context.Cause(ctx))
	}
	if !known {
		if user, err = g.review(ctx, token); err != nil {
			return nil, false, err
		}
		g.known.setUser(token, user)
	}
	if user == nil {
		return nil, false, nil
	}
	if allowed, err = g.ask(ctx, user, verb, path); err != nil {
		return nil, false, err
	}
	g.known.setAllowed(token, verb, path, allowed)
	return user, allowed, nil
}

// review returns who has sent a token; nil if it is not valid.
func (g *Guard) review(ctx context.Context, token string) (*authenticationv1.UserInfo, error) {
	answer, err := g.tokens.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: g.options.Audiences},
	}, createOptions())
	if err != nil {
		return nil, fmt.Errorf("ask who has sent a token: %w", err)
	}
	if !answer.Status.Authenticated || !forAudience(g.options.Audiences, answer.Status.Audiences) {
		return nil, nil //nolint:nilnil // that it is nobody is an answer
	}
	return &answer.Status.User, nil
}

// ask returns whether a user may make a request.
func (g *Guard) ask(ctx context.Context, user *authenticationv1.UserInfo, verb, path string) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, value := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(value)
	}
	answer, err := g.access.Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
		},
	}, createOptions())
	if err != nil {
		return false, fmt.Errorf("ask whether %s may %s %s: %w", user.Username, verb, path, err)
	}
	return answer.Status.Allowed && !answer.Status.Denied, nil
}
