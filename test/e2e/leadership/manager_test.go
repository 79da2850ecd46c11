// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

var errTestOver = errors.New("the test is over")

// local is a replica in this process, where more can be seen of it.
type local struct {
	*writer.Writer
	*history
	env *env
	log *lines
	end func()
}

func (e *env) run(config *rest.Config, options writer.Options) *local {
	e.Helper()
	l := &local{history: &history{}, env: e, log: &lines{}}
	l.Writer = writer.New(config, options, l.tell)
	ctx, cancel := context.WithCancelCause(klog.NewContext(context.WithoutCancel(e.Context()), l.log.logger()))
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.end = sync.OnceFunc(func() {
		cancel(errTestOver)
		if err := <-done; err != nil {
			e.Errorf("%s: %v", options.Agent, err)
		}
	})
	e.Cleanup(l.end)
	return l
}

func (l *local) await(what string, holds func() bool) {
	l.env.Helper()
	eventually(l.env, what, func() error {
		if !holds() {
			return fmt.Errorf("writing %v, lost %v; the last lines of the log:\n%s", l.writing(), l.lost(), l.log.tail())
		}
		return nil
	})
}

// awaitLoss waits until a term of the replica has ended, and looks why.
func (l *local) awaitLoss(want ...cause.TermEnd) {
	l.env.Helper()
	l.await(fmt.Sprintf("a term ends as %v", want), func() bool { return len(l.lost()) > 0 })
	got := l.lost()[0]
	for _, how := range want {
		if got.How == how {
			l.env.Logf("%s", got.Detail)
			return
		}
	}
	l.env.Errorf("the term ended as %q, want %q: %s", got.How, want, got.Detail)
}

// lines keeps a log.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) logger() logr.Logger {
	return funcr.New(func(prefix, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.text = append(l.text, prefix+args)
	}, funcr.Options{})
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.text...)
}

func (l *lines) tail() (text string) {
	all := l.all()
	for _, line := range all[max(0, len(all)-10):] {
		text += line + "\n"
	}
	return text
}

// edit changes the lease as somebody with an editor would.
func (e *env) edit(change func(*coordinationv1.Lease)) {
	e.Helper()
	leases := e.admin.CoordinationV1().Leases(e.namespace)
	e.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		lease, err := leases.Get(e.Context(), e.election.Name, metav1.GetOptions{})
		if err == nil {
			change(lease)
			_, err = leases.Update(e.Context(), lease, metav1.UpdateOptions{})
		}
		return err
	}))
}

// lead runs the replica a until it leads.
func (e *env) lead(config *rest.Config) *local {
	e.Helper()
	l := e.run(config, e.options("a"))
	l.await("a leads", l.writing)
	return l
}
