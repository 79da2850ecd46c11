// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

func TestWrongFlagsAreOneClearError(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"an unknown flag":           {[]string{"-no-such-flag"}, []string{"-no-such-flag", "-help lists the flags"}},
		"a value of no use":         {[]string{"-drain-timeout=soon"}, []string{`"soon"`, "-drain-timeout", "-help lists the flags"}},
		"an argument":               {[]string{"start"}, []string{`unknown argument "start"`, "-help lists the flags"}},
		"an unknown log format":     {[]string{"-log-format=xml"}, []string{`unknown log format "xml"`, "use text or json"}},
		"metrics without telemetry": {[]string{"-metrics-addr=:1"}, []string{"-metrics-addr"}},
		"a lease in no namespace":   {[]string{"-leader-elect"}, []string{"name the Namespace of the Lease"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings(t, nil, c.args...)
			wantError(t, err, c.want...)
		})
	}
}

func TestAProgramWithoutANameIsToldToHaveOne(t *testing.T) {
	err := program.Run(t.Context(), program.Options{}, program.Process{}, nil)
	wantError(t, err, "set Options.Name")
}

func TestAKubeconfigThatCannotBeReadIsAnErrorThatNamesTheFlag(t *testing.T) {
	w := newWorld("-kubeconfig=/no/such/file")
	w.LoadConfig = func(path string) (*rest.Config, error) { return nil, errors.New("read the kubeconfig " + path) }
	wantError(t, w.run(t.Context(), program.Options{}, nil), "read the kubeconfig /no/such/file (-kubeconfig names another)")
}

func TestAProcessReadsAKubeconfigFromTheFileByDefault(t *testing.T) {
	for name, load := range map[string]func(string) (*rest.Config, error){"current": program.CurrentProcess().LoadConfig, "none": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("-kubeconfig=/no/such/file")
			w.LoadConfig = load
			wantError(t, w.run(t.Context(), program.Options{}, nil), "/no/such/file", "(-kubeconfig names another)")
		})
	}
}

func TestAFlagOfTheProgramThatExistsIsAClearError(t *testing.T) {
	for name, telemetry := range map[string]program.Telemetry{"v": nil, "metrics-addr": &exporting{}, "export": &exporting{}} {
		t.Run(name, func(t *testing.T) {
			o := program.Options{
				Telemetry: telemetry,
				AddFlags:  func(flags *flag.FlagSet) { flags.Bool(name, false, "mine") },
			}
			wantError(t, newWorld().run(t.Context(), o, nil), "Options.AddFlags adds -"+name, "give it another name")
		})
	}
}

func TestFlagsThatWouldShareAVariableAreAnError(t *testing.T) {
	o := program.Options{AddFlags: func(flags *flag.FlagSet) { flags.Bool("log_format", false, "mine") }}
	wantError(t, newWorld().run(t.Context(), o, nil), "-log-format", "-log_format", "WIDGET_OPERATOR_LOG_FORMAT")
}

func TestHelpListsAllFlagsWithTheirDefaultsAndVariablesAndIsNoFailure(t *testing.T) {
	w := newWorld("-help")
	w.Environment = []string{"POD_NAMESPACE=system"}
	err := w.run(t.Context(), program.Options{
		Manager: controller.ManagerOptions{
			DrainTimeout: 7 * time.Second, LeaderElection: &controller.LeaderElection{RetryPeriod: 3 * time.Second},
		},
		AddFlags:  func(flags *flag.FlagSet) { flags.Int("size", 3, "the size") },
		Telemetry: &exporting{},
	}, nil)
	if err != nil || program.ExitCode(err) != 0 {
		t.Errorf("the error is %v", err)
	}
	help := strings.Join(strings.Fields(w.stderr.String()), " ")
	for _, text := range []string{
		"-drain-timeout duration", "(default 7s)", "-leader-elect-retry-period duration", "(default 3s)", "(default 1m0s)",
		`the name of the Lease (default "widget-operator")`, `(default "system")`, "-size int the size (default 3)", "-export",
		"-size WIDGET_OPERATOR_SIZE", "-leader-elect WIDGET_OPERATOR_LEADER_ELECT", "-metrics-addr WIDGET_OPERATOR_METRICS_ADDR",
	} {
		if !strings.Contains(help, text) {
			t.Errorf("the help does not say %q:\n%s", text, &w.stderr)
		}
	}
	if w.stdout.String() != "" {
		t.Errorf("it is on standard output: %s", &w.stdout)
	}
}

func TestTheDefaultsOfTheFlagsAreTheProgramsOwnOrThoseOfThePod(t *testing.T) {
	own := controller.ManagerOptions{
		SyncTimeout: 8 * time.Second, ShutdownTimeout: 9 * time.Second, StragglerStacks: true,
		LeaderElection: &controller.LeaderElection{
			Identity: "me", Namespace: "mine", LeaseDuration: 60 * time.Second, RenewDeadline: 40 * time.Second, ExitOnLoss: true,
		},
	}
	for name, c := range map[string]struct {
		manager controller.ManagerOptions
		want    map[string]string
	}{
		"of the pod": {controller.ManagerOptions{}, map[string]string{
			"health-addr": `":8081"`, "sync-timeout": "1m0s", "shutdown-timeout": "20s", "straggler-stacks": "",
			"leader-elect-identity": `"pod-1"`, "leader-elect-namespace": `"system"`, "leader-elect-lease-duration": "15s",
			"leader-elect-renew-deadline": "10s", "leader-elect-retry-period": "2s", "leader-elect-exit-on-loss": "",
			"leader-elect": "", "plan": "", "metrics-addr": "", "kubeconfig": "", "log-format": `"text"`,
		}},
		"the program's": {own, map[string]string{
			"sync-timeout": "8s", "shutdown-timeout": "9s", "straggler-stacks": "true",
			"leader-elect-identity": `"me"`, "leader-elect-namespace": `"mine"`, "leader-elect-lease-duration": "1m0s",
			"leader-elect-renew-deadline": "40s", "leader-elect-exit-on-loss": "true", "leader-elect": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld("-help")
			w.Environment = []string{"POD_NAME=pod-1", "POD_NAMESPACE=system"}
			if err := w.run(t.Context(), program.Options{Manager: c.manager, Telemetry: &exporting{}}, nil); err != nil {
				t.Fatal(err)
			}
			list, _, _ := strings.Cut(w.stderr.String(), "\n\n")
			got := map[string]string{}
			for _, text := range strings.Split(list, "\n  -") {
				_, value, _ := strings.Cut(text, "(default ")
				got[strings.Fields(strings.TrimPrefix(text, "  -"))[0]] = strings.TrimSuffix(value, ")")
			}
			for flag, want := range c.want {
				if value, ok := got[flag]; !ok || value != want {
					t.Errorf("the default of -%s is %s, want %s:\n%s", flag, value, want, list)
				}
			}
		})
	}
}
