// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/e2e/leadership/writer"
)

// history is what a writer has told so far.
type history struct {
	mu     sync.Mutex
	ready  bool
	leads  bool
	wrote  bool // in the term in which it leads
	losses []writer.Event
	ended  string
	at     map[string]time.Time // of the last event of a sort
}

func (h *history) tell(e writer.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		h.at = map[string]time.Time{}
	}
	h.at[e.What] = time.Now()
	switch e.What {
	case "ready":
		h.ready = true
	case "leads":
		h.leads, h.wrote = true, false
	case "wrote":
		h.wrote = true
	case "lost":
		h.leads, h.wrote = false, false
		h.losses = append(h.losses, e)
	case "ended":
		h.ended = e.Detail
	}
}

func (h *history) isReady() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ready
}

// writing reports whether it leads and has written.
func (h *history) writing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leads && h.wrote
}

func (h *history) lost() []writer.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]writer.Event(nil), h.losses...)
}

func (h *history) last(what string) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at[what]
}

// process is a replica that runs as one.
type process struct {
	*history
	env     *env
	options writer.Options
	config  *rest.Config
	cmd     *exec.Cmd
	errors  *strings.Builder // to be read once it is gone
	gone    chan struct{}
}

func (e *env) start(config *rest.Config, options writer.Options) *process {
	e.Helper()
	p := &process{history: &history{}, env: e, options: options, config: config, errors: &strings.Builder{}, gone: make(chan struct{})}
	how, err := json.Marshal(options)
	if err != nil {
		e.Fatal(err)
	}
	p.cmd = exec.Command(binary, kubeconfig(e.T, config), string(how))
	p.cmd.Stderr = p.errors
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		e.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		e.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		p.read(output)
		_ = p.cmd.Wait() // the state says how it ended
	}()
	e.Cleanup(p.kill)
	return p
}

// again starts the same replica, which is gone, anew.
func (p *process) again() *process { return p.env.start(p.config, p.options) }

func (p *process) read(output io.Reader) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var event writer.Event
		if json.Unmarshal(lines.Bytes(), &event) == nil {
			p.tell(event)
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // a stopped one too
	<-p.gone
	if p.env.Failed() {
		text := p.errors.String()
		p.env.Logf("the last that %s wrote:\n%s", p.options.Agent, text[max(0, len(text)-3000):])
	}
}

func (p *process) signal(s os.Signal) {
	p.env.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.env.Fatal(err)
	}
}

func (p *process) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

func (p *process) await(what string, holds func() bool) {
	p.env.Helper()
	eventually(p.env, p.options.Agent+" "+what, func() error {
		if holds() {
			return nil
		}
		if p.isGone() {
			return fmt.Errorf("it is gone: %v, %s", p.cmd.ProcessState, p.errors)
		}
		return fmt.Errorf("ready %v, writing %v, lost %v", p.isReady(), p.writing(), p.lost())
	})
}

// pair is two replicas of one election.
type pair [2]*process

// leader waits until one of them leads and has written.
func (p *pair) leader() (leader, other *process) {
	e := p[0].env
	e.Helper()
	eventually(e, "one of two replicas leads", func() error {
		for i, r := range p {
			if r.writing() {
				leader, other = r, p[1-i]
				return nil
			}
		}
		return fmt.Errorf("%v: %v, %v: %v", p[0].options.Agent, p[0].lost(), p[1].options.Agent, p[1].lost())
	})
	return leader, other
}

// stopped has the leader stand still until another has taken the lease and written, and go on then. It
// returns the one that was stopped, once it knows that its term is over, and how it ended.
func (p *pair) stopped() (old *process, how string) {
	leader, other := p.leader()
	p[0].env.Helper()
	before := len(leader.lost())
	leader.signal(syscall.SIGSTOP)
	other.await("has taken over", other.writing)
	leader.signal(syscall.SIGCONT)
	leader.await("knows that it does not lead any more", func() bool { return len(leader.lost()) > before })
	lost := leader.lost()
	return leader, string(lost[before].How)
}
