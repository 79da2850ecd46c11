// SPDX-License-Identifier: Apache-2.0

package written

import "k8s.io/apimachinery/pkg/util/resourceversion"

// older reports whether a version is older than another. Versions that are no numbers, as some aggregated
// servers have them, are older unless they are equal.
func older(version, than string) bool {
	if version == than {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err != nil || order < 0
}
