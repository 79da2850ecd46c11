// SPDX-License-Identifier: Apache-2.0

package program

import (
	"flag"
	"maps"
	"testing"

	"github.com/lanyard-k8s/lanyard/controller"
)

func TestAProgramKnowsItsContainerIfTheEnvironmentSaysAllOfIt(t *testing.T) {
	environment := map[string]string{
		"POD_NAMESPACE": "system", "POD_NAME": "manager-0", "POD_UID": "uid", "CONTAINER_NAME": "manager",
	}
	elected := func(o Options, environment map[string]string) *controller.LeaderPod {
		s := newSettings(o, environment)
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		s.addFlags(flags)
		if err := flags.Parse([]string{"-leader-elect", "-leader-elect-fenced"}); err != nil {
			t.Fatal(err)
		}
		if !s.options().LeaderElection.Fenced {
			t.Error("-leader-elect-fenced has no effect")
		}
		return s.options().LeaderElection.Pod
	}
	want := controller.LeaderPod{Namespace: "system", Name: "manager-0", UID: "uid", Container: "manager"}
	if got := elected(Options{}, environment); got == nil || *got != want {
		t.Errorf("it is %v, want %v", got, want)
	}
	for name := range environment {
		less := maps.Clone(environment)
		less[name] = ""
		if got := elected(Options{}, less); got != nil {
			t.Errorf("without %s it is %v", name, got)
		}
	}
	mine := controller.ManagerOptions{LeaderElection: &controller.LeaderElection{Pod: &controller.LeaderPod{Name: "mine"}}}
	if got := elected(Options{Manager: mine}, environment); got != mine.LeaderElection.Pod {
		t.Errorf("it is %v and not what the program says", got)
	}
}
