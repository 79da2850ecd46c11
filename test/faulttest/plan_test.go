// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"strings"
	"testing"
)

func TestAPlanIsReadAsItIsPrinted(t *testing.T) {
	for _, text := range []string{
		"patch deployments.apps web #3: applied, then reset",
		"after the change: create configmaps #1: refused with 409",
		"after the deletion: for shop web: delete configmaps web-* #2: not sent, then crashed",
		"create configmaps #1: applied, then 500; for shop web: get configmaps default/web #12: object recreated",
	} {
		plan, err := ParsePlan(text)
		if err != nil || plan.String() != text {
			t.Errorf("%q is read as %q: %v", text, plan, err)
		}
	}
	for text, want := range map[string]string{
		"patch deployments.apps web: applied, then reset": "it has no number",
		"patch deployments.apps web #0: refused with 409": "no number of a call",
		"patch deployments.apps web #1: melted":           "no mode",
		"for shop":                                        "no call after the owner",
	} {
		if _, err := ParsePlan(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestAFaultWithoutAnOwnerCountsTheCallsOfAll(t *testing.T) {
	record := newTape(Plan{{target: "create configmaps", n: 2, Mode: ResetAfter}, {owner: "b", target: "get pods x", n: 1, Mode: Stale}})
	var hit []Mode
	for _, c := range []*call{
		{point: point{owner: "a", target: "create configmaps"}},
		{point: point{owner: "a", target: "get pods x"}},
		{point: point{owner: "b", target: "create configmaps"}},
		{point: point{owner: "b", target: "get pods x"}},
		{point: point{owner: "b", target: "create configmaps"}},
	} {
		record.begin(c)
		hit = append(hit, c.fault)
	}
	if got := strings.Join([]string{string(hit[0]), string(hit[1]), string(hit[2]), string(hit[3]), string(hit[4])}, "|"); got != "||applied, then reset|caches stale|" {
		t.Errorf("the faults were %q", got)
	}
	if missed := record.missed(); len(missed) != 0 {
		t.Errorf("missed: %v", missed)
	}
}

func TestWhatNoNumberOfRunsHasInCommonIsNotCompared(t *testing.T) {
	for name, want := range map[string]bool{
		"web-x7k2q": true, "web-child": false, "nginx-proxy": false, "web-12345": false, "web-bcdfg": true,
	} {
		if got := generated.MatchString("-"+name) && generated.MatchString(name); got != want {
			t.Errorf("%s is a generated name: %t, want %t", name, got, want)
		}
	}
	s := &snapshot{namespace: "ns-1"}
	got := s.text("ns-1 at 2026-11-27T10:00:00.5Z for 0a5b8c1e-0000-4000-8000-1234567890ab")
	if got != "<namespace> at <time> for <uid>" {
		t.Errorf("%q", got)
	}
}

// FuzzParsePlan: a plan comes from a command line, and is printed as it was read.
func FuzzParsePlan(f *testing.F) {
	f.Add("patch deployments.apps web #3: applied, then reset")
	f.Add("after the deletion: for a: b: x #1: caches stale; get y #2: refused with 409")
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := ParsePlan(text)
		if err != nil {
			return
		}
		again, err := ParsePlan(plan.String())
		if err != nil || again.String() != plan.String() {
			t.Errorf("%q is read as %q, and that as %q: %v", text, plan, again, err)
		}
	})
}
