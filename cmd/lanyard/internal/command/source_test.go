// SPDX-License-Identifier: Apache-2.0

package command

import (
	"strings"
	"testing"
)

func TestAProjectUsesTheReleaseThatTheToolIsOf(t *testing.T) {
	for version, want := range map[string]string{
		"v0.9.0": "v0.9.0", "v1.0.0-rc.1": "v1.0.0-rc.1", "v0.0.0-20261126165832-d112bc109cfe": "d112bc109cfe",
	} {
		got, err := source(version, "")
		if err != nil || got.Version != want || got.Dir != "" {
			t.Errorf("%s: %+v, %v, want %s", version, got, err, want)
		}
	}
	for _, version := range []string{"(devel)", "v0.0.0-20261126165832-d112bc109cfe+dirty"} {
		if _, err := source(version, ""); err == nil || !strings.Contains(err.Error(), "--lanyard DIR") {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestACheckoutHasToBeOne(t *testing.T) {
	if got, err := source("", "../../../.."); err != nil || got.Version != "v0.0.0" || got.Dir == "" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, dir := range []string{t.TempDir(), "../.."} {
		if _, err := source("", dir); err == nil || !strings.Contains(err.Error(), "is no checkout of Lanyard") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
