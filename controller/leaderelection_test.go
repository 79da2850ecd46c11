// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
)

func TestTheTimesOfAnElectionThatCannotBeAreRefusedWithTheReasonAndWhatWouldDo(t *testing.T) {
	const ms = time.Millisecond
	type times = controller.LeaderElection
	for name, test := range map[string]struct {
		options times
		reason  string
		remedy  string
		cured   times // what the remedy makes of it
	}{
		"defaults":   {options: times{}},
		"one second": {options: times{LeaseDuration: time.Second, RenewDeadline: 700 * ms, RetryPeriod: 200 * ms}},
		"sub-second": {times{LeaseDuration: 500 * ms, RenewDeadline: 300 * ms, RetryPeriod: 100 * ms}, "whole seconds", "set it to 1s",
			times{LeaseDuration: time.Second, RenewDeadline: 300 * ms, RetryPeriod: 100 * ms}},
		"fractional": {times{LeaseDuration: 1500 * ms, RenewDeadline: 700 * ms, RetryPeriod: 200 * ms}, "whole seconds", "set it to 2s",
			times{LeaseDuration: 2 * time.Second, RenewDeadline: 700 * ms, RetryPeriod: 200 * ms}},
		"negative": {times{LeaseDuration: -time.Second, RenewDeadline: 700 * ms, RetryPeriod: 200 * ms}, "whole seconds", "set it to 1s",
			times{LeaseDuration: time.Second, RenewDeadline: 700 * ms, RetryPeriod: 200 * ms}},
		"margin = lease":     {times{Margin: 15 * time.Second}, "something has to be left", "set it to less than that, or leave it out", times{}},
		"margin > lease":     {times{Margin: time.Minute}, "something has to be left", "set it to less than that, or leave it out", times{}},
		"margin < 0":         {times{Margin: -1}, "something has to be left", "or leave it out", times{}},
		"late deadline":      {times{RenewDeadline: 14 * time.Second}, "a term is over after 13.5s", "set RenewDeadline to at most 13.5s, or a longer LeaseDuration", times{RenewDeadline: 13500 * ms}},
		"a longer lease":     {times{RenewDeadline: 14 * time.Second}, "a term is over after 13.5s", "or a longer LeaseDuration", times{RenewDeadline: 14 * time.Second, LeaseDuration: 16 * time.Second}},
		"early deadline":     {times{RenewDeadline: 2 * time.Second}, "no second try", "set RetryPeriod to at most 1.6s", times{RenewDeadline: 2 * time.Second, RetryPeriod: 1600 * ms}},
		"just too early":     {times{RenewDeadline: 2400 * ms}, "no second try", "or RenewDeadline to more than 2.4s", times{RenewDeadline: 2401 * ms}},
		"no later deadline":  {times{RetryPeriod: 12 * time.Second, RenewDeadline: 13 * time.Second}, "no second try", "set RetryPeriod to at most 10.4s", times{RetryPeriod: 10400 * ms, RenewDeadline: 13 * time.Second}},
		"negative retry":     {times{RetryPeriod: -1}, "less than 0", "or leave it out, for the default", times{}},
		"negative deadline":  {times{RenewDeadline: -1}, "less than 0", "or leave it out, for the default", times{}},
		"short by default":   {times{LeaseDuration: 3 * time.Second}, "RenewDeadline is 10s, but a term is over after 2.7s", "set RenewDeadline to at most 2.7s, or", times{LeaseDuration: 3 * time.Second, RenewDeadline: 2700 * ms}},
		"shorter by default": {times{LeaseDuration: 2 * time.Second}, "RenewDeadline is 10s", "set RenewDeadline to at most 1.8s and RetryPeriod to at most 1.44s", times{LeaseDuration: 2 * time.Second, RenewDeadline: 1800 * ms, RetryPeriod: 1440 * ms}},
		"no name":            {times{Name: "-"}, "cannot be the Name", "set ManagerOptions.LeaderElection.Name", times{}},
		"half a pod": {times{Pod: &controller.LeaderPod{Name: "pod", UID: "uid"}}, `the Container ""`, "set all three, or leave Pod out",
			times{Pod: &controller.LeaderPod{Name: "pod", UID: "uid", Container: "manager"}}},
	} {
		complete := func(o times) error {
			o.Namespace, o.Identity = "n", "a"
			if o.Name == "" {
				o.Name = "lease"
			}
			return o.Complete()
		}
		err := complete(test.options)
		if test.reason == "" != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.reason) || !strings.Contains(err.Error(), test.remedy)) {
			t.Errorf("%s: %v, want %q and %q", name, err, test.reason, test.remedy)
		}
		if err := complete(test.cured); err != nil {
			t.Errorf("%s: what would do is refused too: %v", name, err)
		}
	}
}

func TestWhatIsMissingForAnElectionIsNamedAndRunReturnsAllOfIt(t *testing.T) {
	m := newManager(controller.ManagerOptions{LeaderElection: &controller.LeaderElection{RenewDeadline: time.Hour}})
	err := m.Run(t.Context())
	for _, text := range []string{
		"nothing was started", "ManagerOptions.LeaderElection.Name:", "name the Namespace of the Lease in ManagerOptions.LeaderElection.Namespace", "set RenewDeadline to at most",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("Run returned %v, which does not say %q", err, text)
		}
	}
}
