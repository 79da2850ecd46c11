package controller

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// SignalContext returns a context that ends at the first SIGINT or SIGTERM, with a cause that names the
// signal. A second one makes a drain a cancel, where a manager that runs on the context is draining;
// otherwise, and in any case at the third, the signal does what it does to any process. stop gives the
// signals back and must be called.
func SignalContext(parent context.Context) (ctx context.Context, stop context.CancelFunc) {
	e := &escalation{}
	ctx, cancel := context.WithCancelCause(context.WithValue(parent, escalationKey{}, e))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var listening sync.WaitGroup
	listening.Go(func() { listen(signals, cancel, e) })
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(signals)
		listening.Wait()
		cancel(context.Canceled)
	})
}

// SignalError is the cause of the end of a context from [SignalContext].
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "received the signal " + e.Signal.String() }

// Is makes it [context.Canceled] too.
func (e *SignalError) Is(target error) bool {
	return target == context.Canceled
}

func listen(signals chan os.Signal, cancel context.CancelCauseFunc, e *escalation) {
	received, ok := <-signals
	if !ok {
		return
	}
	cancel(&SignalError{received})
	for received := range signals {
		if e.hurry() {
			continue
		}
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		if process, err := os.FindProcess(os.Getpid()); err == nil {
			_ = process.Signal(received) // what it does now is to end the process
		}
	}
}

type escalationKey struct{}

// escalation is what the second signal does.
type escalation struct {
	mu    sync.Mutex
	funcs map[*func()]struct{}
}

// escalate has the next signal call f, if ctx is from SignalContext, until undo.
func escalate(ctx context.Context, f func()) (undo func()) {
	e, _ := ctx.Value(escalationKey{}).(*escalation)
	if e == nil {
		return func() {}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.funcs == nil {
		e.funcs = map[*func()]struct{}{}
	}
	key := &f
	e.funcs[key] = struct{}{}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.funcs, key)
	}
}

// hurry calls what is registered, once, and tells whether there was anything.
func (e *escalation) hurry() bool {
	e.mu.Lock()
	funcs := e.funcs
	e.funcs = nil
	e.mu.Unlock()
	for f := range funcs {
		(*f)()
	}
	return len(funcs) > 0
}
