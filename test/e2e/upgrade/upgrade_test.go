// SPDX-License-Identifier: Apache-2.0

// Package upgrade_test has client-go's own executors run commands through a manager's configuration: they bring
// the connections with them.
package upgrade_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// patience is far more than anything here takes.
const patience = 30 * time.Second

type executor func(config *rest.Config, url string) (remotecommand.Executor, error)

func executors() map[string]executor {
	return map[string]executor{
		"WebSocket": func(config *rest.Config, url string) (remotecommand.Executor, error) {
			return remotecommand.NewWebSocketExecutor(config, "GET", url)
		},
		"SPDY": func(config *rest.Config, address string) (remotecommand.Executor, error) {
			parsed, err := url.Parse(address)
			if err != nil {
				return nil, err
			}
			return remotecommand.NewSPDYExecutor(config, "POST", parsed)
		},
	}
}

// exec runs a command, of which it tells what it said.
func (e executor) exec(ctx context.Context, config *rest.Config, command string, said io.Writer) error {
	made, err := e(config, config.Host+"/api/v1/namespaces/n/pods/p/exec?stdout=true&command="+command)
	if err != nil {
		return err
	}
	return made.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: said})
}

// hold runs a command that goes on, and returns once it has begun.
func (e executor) hold(ctx context.Context, t *testing.T, config *rest.Config) (done <-chan error) {
	said, says := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- e.exec(ctx, config, "hold", says) }()
	if _, err := io.ReadFull(said, make([]byte, len("hold"))); err != nil {
		t.Error(err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	t.Cleanup(func() { _ = says.Close() })
	return ended
}

func within[T any](t *testing.T, what string, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(patience):
		t.Errorf("%s: not within %v", what, patience)
	}
	return value
}

func TestC14CommandsRunThroughAManagersConfigurationUntilTheirContextOrTheirTermEnds(t *testing.T) {
	for name, e := range executors() {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			m := controller.NewManager(s.config, controller.ManagerOptions{LeaderElection: &controller.LeaderElection{
				Name: "leader", Namespace: "n", Identity: "this", LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second,
				RetryPeriod: 100 * time.Millisecond, ExitOnLoss: true,
			}})
			m.AddLeaderRunnable("exec", func(ctx context.Context) error {
				var said strings.Builder
				if err := e.exec(ctx, m.Config(), "hello", &said); err != nil || said.String() != "hello" {
					t.Errorf("it said %q: %v", said.String(), err)
				}
				short, cancel := context.WithCancel(ctx)
				held := e.hold(short, t, m.Config())
				cancel()
				if err := within(t, "the end with its context", held); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled, it returned %v", err)
				}
				within(t, "the end of its connection", s.closed)

				detached := context.WithoutCancel(ctx)
				until := ctx
				if name == "WebSocket" { // SPDY tells nobody of its connection
					until = detached
				}
				held = e.hold(until, t, m.Config())
				s.take()
				within(t, "the end of the term", ctx.Done())
				if err := within(t, "the end with the term", held); err == nil {
					t.Error("with the term, it ended well")
				}
				within(t, "the end of its connection", s.closed)
				before := s.count()
				err := e.exec(detached, m.Config(), "hello", io.Discard)
				lost := errors.Is(err, cause.LeadershipLost)
				if name == "SPDY" { // of whose errors client-go keeps the text
					lost = err != nil && strings.Contains(err.Error(), cause.LeadershipLost.Error())
				}
				if !lost || s.count() != before {
					t.Errorf("after the term %d more were sent: %v", s.count()-before, err)
				}
				return nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			if err := m.Run(ctx); !errors.Is(err, cause.LeadershipLost) {
				t.Errorf("Run returned %v", err)
			}
			before := s.count()
			if err := e.exec(t.Context(), m.Config(), "hello", io.Discard); err == nil || s.count() != before {
				t.Errorf("after Run %d more were sent: %v", s.count()-before, err)
			}
		})
	}
}
