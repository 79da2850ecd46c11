// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

// Roles are made of what a program has used.
func ExampleUsed_Roles() {
	write := func(recorder *rbac.Recorder) ([]byte, error) {
		roles := recorder.Used().Roles(rbac.RoleOptions{Name: "my-controller"})
		content, err := roles.YAML() // for config/rbac/role.yaml
		return content, err
	}
	_ = write
}

// A test compares the roles with what the program uses.
func ExampleCheck() {
	testPermissions := func(t *testing.T) {
		recorder := rbac.NewRecorder()
		// Run the controller with recorder.Config(config), and have it do all that it does.
		used := recorder.Used().Also("the quota controller is not in the test cluster", rbac.Use{
			Verb: "get", Resource: "resourcequotas", Namespace: rbac.Any, Name: rbac.Any,
		})
		rbac.Check(t, used, "../config/rbac")
	}
	_ = testPermissions
}
