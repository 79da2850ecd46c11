// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"regexp"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller/internal/fence"
)

// pattern is what Parse does, as a regular expression.
var pattern = regexp.MustCompile(regexp.QuoteMeta(fence.Denied) +
	`(` + fence.Fenced + `[ :](?:[ -~]*?resourceVersion=(\d+)\]|[ -~]*))`)

func TestARefusalIsFoundWithTheVersionOfTheLease(t *testing.T) {
	for answer, want := range map[string][2]string{
		"": {},
		"denied request: fenced by lease n/l [resourceVersion=12] and more":        {"fenced by lease n/l [resourceVersion=12]", "12"},
		"a denied request: other denied request: fenced by lease: x":               {"fenced by lease: x", ""},
		"denied request: fenced by leases":                                         {},
		"denied request: fenced by lease":                                          {},
		"denied request: fenced by lease resourceVersion=, resourceVersion=3]\x00": {"fenced by lease resourceVersion=, resourceVersion=3]", "3"},
		"denied request: fenced by lease resourceVersion=12\x00]":                  {"fenced by lease resourceVersion=12", ""},
	} {
		if message, seen := fence.Parse(answer); message != want[0] || seen != want[1] {
			t.Errorf("%q: message %q, version %q", answer, message, seen)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("denied request: fenced by lease n/l [resourceVersion=12]")
	f.Add("k8s\x00\x12denied request: fenced by lease: resourceVersion=x resourceVersion=1]\x1a")
	f.Fuzz(func(t *testing.T, answer string) {
		var want [2]string
		if match := pattern.FindStringSubmatch(answer); match != nil {
			want = [2]string{match[1], match[2]}
		}
		if message, seen := fence.Parse(answer); message != want[0] || seen != want[1] {
			t.Errorf("%q: %q and %q, want %q", answer, message, seen, want)
		}
	})
}
