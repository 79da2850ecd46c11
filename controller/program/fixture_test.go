// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"flag"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a process for one run of a program.
type world struct {
	program.Process
	stdout, stderr buffer
	config         *rest.Config // what LoadConfig returns
	kubeconfig     string       // what it was asked for
}

func newWorld(args ...string) *world {
	w := &world{config: &rest.Config{Host: "http://unused.invalid"}}
	w.Process = program.Process{
		Args: args, Stdout: &w.stdout, Stderr: &w.stderr,
		LoadConfig: func(path string) (*rest.Config, error) {
			w.kubeconfig = path
			return w.config, nil
		},
	}
	return w
}

// run runs a program that is called widget-operator until it ends by itself or ctx does.
func (w *world) run(ctx context.Context, o program.Options, setUp func(*controller.Manager) error) error {
	if o.Name == "" {
		o.Name = "widget-operator"
	}
	return program.Run(ctx, o, w.Process, setUp)
}

// ends is a set-up function for a program that ends by itself, without an error, when all has started.
func ends(stop context.CancelCauseFunc) func(*controller.Manager) error {
	return func(m *controller.Manager) error {
		m.AddRunnable("ends", func(context.Context) error {
			stop(nil)
			return nil
		})
		return nil
	}
}

// settings runs a program and returns what its own flag -size says, and the error.
func settings(t *testing.T, environment []string, args ...string) (size int, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		w := newWorld(append([]string{"-health-addr="}, args...)...)
		w.Environment = environment
		err = w.run(ctx, program.Options{
			AddFlags: func(flags *flag.FlagSet) { flags.IntVar(&size, "size", 3, "the size") },
		}, ends(stop))
	})
	return size, err
}

// wantError checks that an error has all texts, and is one line.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("there is no error, want %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error does not say %q: %v", text, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %v", err)
	}
	if code := program.ExitCode(err); code != 1 {
		t.Errorf("the exit code is %d", code)
	}
}

// buffer is a text that goroutines may write to.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
