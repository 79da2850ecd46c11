// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reviews are the questions that take the form of a CREATE.
func reviews() []write {
	return []write{
		{"token review", nothing, func(ctx context.Context, _ *env, w *writer, _ string) error {
			review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: "a"}}
			_, err := w.kube.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
			return err
		}},
		{"subject access review", nothing, func(ctx context.Context, _ *env, w *writer, _ string) error {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User: "somebody", NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
			}}
			_, err := w.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			return err
		}},
	}
}
