// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

func TestAProgramRunsUntilItsEndAndReportsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		w := newWorld("-health-addr=", "-v=2")
		var logger *logr.Logger
		w.SetLogger = func(l logr.Logger) { logger = &l }
		var agent string
		began := time.Now()
		err := w.run(ctx, program.Options{}, func(m *controller.Manager) error {
			agent = m.Config().UserAgent
			m.AddRunnable("worker", func(ctx context.Context) error {
				klog.FromContext(ctx).V(2).Info("Working")
				time.Sleep(time.Hour)
				stop(errors.New("it is evening"))
				<-ctx.Done()
				time.Sleep(time.Second)
				return nil
			})
			return nil
		})
		if took := time.Since(began); err != nil || program.ExitCode(err) != 0 || took != time.Hour+time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if agent != "widget-operator" || logger == nil {
			t.Errorf("the user agent is %q, the logger %v", agent, logger)
		}
		for _, text := range []string{`"Working"`, "stopped in 1s", "it is evening", "left running: nothing"} {
			if !strings.Contains(w.stderr.String(), text) {
				t.Errorf("it does not write %q but\n%s", text, &w.stderr)
			}
		}
	})
}

func TestTheReportIsALineOfAJSONLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		w := newWorld("-health-addr=", "-log-format=json")
		if err := w.run(ctx, program.Options{}, ends(stop)); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(w.stderr.String()), "\n")
		for _, line := range lines {
			if err := json.Unmarshal([]byte(line), &map[string]any{}); err != nil {
				t.Errorf("%v: %s", err, line)
			}
		}
		if last := lines[len(lines)-1]; !strings.Contains(last, `"report":"stopped in `) {
			t.Errorf("the last line is %s", last)
		}
	})
}

func TestWhatFailsIsTheErrorAndThereIsNoReport(t *testing.T) {
	broken := errors.New("broken")
	for name, setUp := range map[string]func(*controller.Manager) error{
		"the set-up": func(*controller.Manager) error { return broken },
		"a part": func(m *controller.Manager) error {
			m.AddRunnable("part", func(context.Context) error { return broken })
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld("-health-addr=")
				if err := w.run(t.Context(), program.Options{}, setUp); !errors.Is(err, broken) {
					t.Errorf("the error is %v", err)
				} else {
					wantError(t, err, "broken")
				}
				if strings.Contains(w.stderr.String(), "stopped in") {
					t.Errorf("there is a report:\n%s", &w.stderr)
				}
			})
		})
	}
}

func TestASetUpThatFailsAfterTheEndIsNotReportedAsARun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := newWorld("-health-addr=")
	err := w.run(ctx, program.Options{}, func(*controller.Manager) error {
		stop()
		return errors.New("broken")
	})
	wantError(t, err, "set up the manager: broken")
	if w.stderr.String() != "" {
		t.Errorf("it writes\n%s", &w.stderr)
	}
}

func TestASignalEndsTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("-health-addr=")
		var managers []*controller.Manager
		w.Signals = func(ctx context.Context, all ...*controller.Manager) (context.Context, context.CancelFunc) {
			managers = all
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(time.Minute, func() { cancel(&controller.SignalError{Signal: os.Interrupt}) })
			return ctx, func() { timer.Stop(); cancel(nil) }
		}
		err := w.run(t.Context(), program.Options{}, func(*controller.Manager) error { return nil })
		if err != nil || len(managers) != 1 || !strings.Contains(w.stderr.String(), "received the signal interrupt") {
			t.Errorf("%v, with %d managers:\n%s", err, len(managers), &w.stderr)
		}
	})
}

func TestAnAddressInUseIsOneClearErrorAtTheStart(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	for _, name := range []string{"health", "metrics", "page"} {
		w := newWorld("-health-addr=", "-"+name+"-addr="+address)
		o := program.Options{Telemetry: &exporting{metrics: http.NotFoundHandler()}}
		err = w.run(t.Context(), o, func(*controller.Manager) error { return nil })
		wantError(t, err, "serve "+name+" on "+address, "address already in use", "(-"+name+"-addr names another address)")
	}
}

func TestTheElectionIsOnWithItsFlagOnlyAndHasTheProgramsDefaults(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "",
		"-leader-elect":                        "default/widgets",
		"-leader-elect -plan":                  "",
		"-leader-elect -leader-elect-name=A_B": `"A_B" cannot be the Name of a Lease`,
	} {
		t.Run(args, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				w := newWorld(append([]string{"-health-addr="}, strings.Fields(args)...)...)
				w.config.Timeout = time.Second
				w.config.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
					return nil, errors.New("nobody is there")
				}
				options := controller.ManagerOptions{LeaderElection: &controller.LeaderElection{Namespace: "default", Name: "widgets"}}
				setUp := func(m *controller.Manager) error {
					m.AddRunnable("ends", func(context.Context) error {
						time.Sleep(10 * time.Second)
						stop(nil)
						return nil
					})
					return nil
				}
				err := w.run(ctx, program.Options{Manager: options}, setUp)
				text := w.stderr.String()
				if err != nil {
					text += err.Error()
				}
				if want != "" && !strings.Contains(text, want) || want == "" && strings.Contains(text, "widgets") {
					t.Errorf("want %q: %v\n%s", want, err, text)
				}
			})
		})
	}
}
