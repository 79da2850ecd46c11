// SPDX-License-Identifier: Apache-2.0

package rbac

import "k8s.io/apimachinery/pkg/types"

// T is the part of *testing.T that [Check] needs.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// Check fails a test if what was used is not exactly what manifests grant, and lists the differences.
// paths are files or folders, as for [Load]. The permissions are those of the only service account that
// the bindings name; if they name several, use [Manifests.Granted] and [Compare].
func Check(t T, used Used, paths ...string) {
	t.Helper()
	manifests, err := Load(paths...)
	if err != nil {
		t.Errorf("check permissions: %v", err)
		return
	}
	granted, err := manifests.Granted(types.NamespacedName{})
	if err != nil {
		t.Errorf("check permissions: %v", err)
		return
	}
	differences, err := Compare(used, granted)
	switch {
	case err != nil:
		t.Errorf("check permissions: %v", err)
	case !differences.Empty():
		t.Errorf("permissions are not what was used:\n%s", differences)
	}
}
