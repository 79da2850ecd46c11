// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// returnLimit is how long a program may take to return after its end.
const returnLimit = 30 * time.Second

// label marks the goroutines that descend from a process: they inherit it.
const label = "faulttest"

var processes atomic.Int64

// process is one run of the program.
type process struct {
	tape       *tape
	namespace  string
	namespaced map[string]bool // resources
	label      string
	gate       gate
	dialer     dialer

	life  context.Context //ctxvet:ok ctxfield: ends when the process crashes: what its calls are cut off by
	crash context.CancelCauseFunc
	ctx   context.Context //ctxvet:ok ctxfield: the root of the program
	stop  context.CancelCauseFunc
	done  chan struct{}
	err   error // what Run returned; after done

	mu      sync.Mutex
	bottoms []http.RoundTripper
	act     func(Mode, <-chan struct{}) // has somebody else act, and returns when that is done
}

// Why the context of a program ends.
var (
	ErrStopped = errors.New("faulttest has told the program to end")
	ErrCrashed = errors.New("the process has crashed, as the plan wants it") // nothing of it reaches the API server any more
)

// start runs the program in the background.
func start(ctx context.Context, w *world, namespace string, t *tape, act func(Mode, <-chan struct{})) *process {
	config := w.config
	proc := &process{
		tape: t, namespace: namespace, namespaced: w.namespaced, label: strconv.FormatInt(processes.Add(1), 10), act: act,
		dialer: dialer{dial: config.Dial}, done: make(chan struct{}),
	}
	proc.life, proc.crash = context.WithCancelCause(ctx)
	root := klog.NewContext(proc.life, logr.New(&sink{tape: t}))
	proc.ctx, proc.stop = context.WithCancelCause(root)
	own := rest.CopyConfig(config)
	own.Dial = proc.dialer.DialContext
	own.Wrap(proc.wrap)
	go pprof.Do(proc.ctx, pprof.Labels(label, proc.label), func(ctx context.Context) {
		defer close(proc.done)
		defer func() {
			if panicked := recover(); panicked != nil {
				proc.err = fmt.Errorf("it panicked: %v", panicked)
			}
		}()
		proc.err = w.program.Run(ctx, own, namespace)
	})
	return proc
}

// end tells the program to end.
func (p *process) end() {
	p.stop(ErrStopped)
	p.tape.set(func(t *tape) { t.late = true })
}

// kill is the end of a process that crashes.
func (p *process) kill() {
	p.crash(ErrCrashed)
	p.tape.set(func(t *tape) { t.late = true })
}

func (p *process) crashed() bool { return p.life.Err() != nil }

// wait waits until the program has returned. It is an error if it does not.
func (p *process) wait() error {
	limit := time.NewTimer(returnLimit)
	defer limit.Stop()
	select {
	case <-p.done:
		p.closeIdle()
		p.crash(ErrCrashed) // nothing of it reaches the API server any more
		return nil
	case <-limit.C:
		p.crash(ErrCrashed)
		return fmt.Errorf("Run has not returned %v after the end of its context", returnLimit)
	}
}

// closeIdle closes what a program that ends would leave to the system.
func (p *process) closeIdle() {
	http.DefaultClient.CloseIdleConnections()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, bottom := range p.bottoms {
		utilnet.CloseIdleConnectionsFor(bottom)
	}
}

// left says what is left of a process whose Run has returned. What ends in its own time has a moment for that.
func (p *process) left() (problem string) {
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		p.closeIdle()
		if problem = p.leftNow(); problem == "" {
			return ""
		}
		time.Sleep(wait)
	}
	return problem
}

func (p *process) leftNow() string {
	if stacks := goroutines(p.label); len(stacks) > 0 {
		return fmt.Sprintf("%d goroutines are left, the first of them in %s", len(stacks), stacks[0])
	}
	if n := p.dialer.open(); n > 0 {
		return fmt.Sprintf("%d connections are left", n)
	}
	return ""
}

// goroutines returns the stacks of those with a label, in a line each.
func goroutines(of string) (stacks []string) {
	var text strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return nil
	}
	mark := fmt.Sprintf("# labels: {%q:%q}", label, of)
	for stack := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(stack, mark) {
			stacks = append(stacks, frames(stack))
		}
	}
	return stacks
}

// frames are the first functions of a stack.
func frames(stack string) string {
	var calls []string
	for line := range strings.Lines(stack) {
		if words := strings.Fields(line); len(words) == 4 && words[0] == "#" && len(calls) < 4 { // #, address, function, line
			function, _, _ := strings.Cut(words[2], "+0x")
			calls = append(calls, function+" ("+path.Base(words[3])+")")
		}
	}
	return strings.Join(calls, ", called by ")
}

// dialer makes the connections of a process and counts them.
type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	n    atomic.Int64
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dial := d.dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.n.Add(1)
	closed := sync.OnceFunc(func() { d.n.Add(-1) })
	if tcp, ok := conn.(*net.TCPConn); ok { // which can do more than others
		return &countedTCP{TCPConn: tcp, closed: closed}, nil
	}
	return &counted{Conn: conn, closed: closed}, nil
}

func (d *dialer) open() int64 { return d.n.Load() }

type countedTCP struct {
	*net.TCPConn
	closed func()
}

func (c *countedTCP) Close() error {
	c.closed()
	return c.TCPConn.Close()
}

type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}
