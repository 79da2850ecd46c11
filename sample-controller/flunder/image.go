// SPDX-License-Identifier: Apache-2.0

package flunder

import (
	"context"
	"fmt"

	"github.com/distribution/reference"

	wardlev1beta1 "github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// checkImage finds an image that no kubelet could pull before pods are made for it.
func (r *Reconciler) checkImage(
	_ context.Context,
	f *wardlev1beta1.Flunder,
	_ *observed,
) (*verdict, error) {
	if _, err := reference.ParseNormalizedNamed(f.Spec.Image); err != nil {
		return blocked(
			wardlev1beta1.ReasonInvalidImage,
			fmt.Sprintf(
				"spec.image %q is not an image reference (%v): write it as registry/repository:tag",
				f.Spec.Image,
				err,
			),
		), nil
	}
	return nil, nil
}
