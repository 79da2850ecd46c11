package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// play is the sample controller, running as a process of its own.
type play struct {
	process *exec.Cmd
	exited  chan struct{} // closed when the process is gone and its output read
	err     error         // of the process, once it has exited

	mu    sync.Mutex
	costs map[types.NamespacedName]cost
}

// cost is what reconciling an object has taken so far.
type cost struct {
	reconciles, calls, writes int
}

// startController builds the sample controller and runs it as its service account.
func startController(ctx context.Context, st *stage) (*play, error) {
	say("controller", "building sample-controller")
	binary := filepath.Join(st.dir, "flunder-controller")
	build := exec.CommandContext(ctx, "go", "build", "-C", st.root, "-o", binary, "./sample-controller")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the sample controller: %w\n%s", err, output)
	}
	config, err := controlplane.ServiceAccountConfig(ctx, st.admin, systemNamespace, account)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(st.dir, "controller.kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, config); err != nil {
		return nil, err
	}
	p := &play{exited: make(chan struct{}), costs: map[types.NamespacedName]cost{}}
	// Not CommandContext, which would kill it: stop lets it end as a pod would.
	p.process = exec.Command(binary, "-kubeconfig", kubeconfig, "-namespace", samplesNamespace, //ctxvet:ok noctx: see above
		"-health-addr", "", "-log-format", "json", "-v", "2")
	p.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at the terminal is not its to hear
	output, err := p.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("start the sample controller: %w", err)
	}
	go func() {
		defer close(p.exited)
		p.read(output)
		p.err = p.process.Wait()
	}()
	say("controller", "process %d, as system:serviceaccount:%s:%s", p.process.Process.Pid, systemNamespace, account)
	return p, nil
}

// line is what is of interest in a line of the controller's log.
type line struct {
	Level  string
	Msg    string
	Err    string
	Result string
	Calls  int
	Writes int
	Object types.NamespacedName
}

// read takes the costs out of the controller's log, and shows its errors and what it prints itself.
func (p *play) read(output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l line
		switch err := json.Unmarshal(lines.Bytes(), &l); {
		case err != nil:
			fmt.Println("  " + lines.Text())
		case l.Result != "":
			p.mu.Lock()
			c := p.costs[l.Object]
			p.costs[l.Object] = cost{reconciles: c.reconciles + 1, calls: c.calls + l.Calls, writes: c.writes + l.Writes}
			p.mu.Unlock()
		}
		if l.Level == "ERROR" || strings.HasPrefix(l.Msg, "List or watch failed") {
			say("controller", "%s %s: %s", l.Msg, l.Object, l.Err)
		}
	}
	_, _ = io.Copy(io.Discard, output) // after a line that is too long; the controller is not to wait for us
}

func (p *play) cost(name types.NamespacedName) cost {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.costs[name]
}

// stop sends the controller what Ctrl-C would, and waits for it to be gone.
func (p *play) stop() error {
	select {
	case <-p.exited: // by itself
		return p.failure()
	default:
	}
	fmt.Println()
	say("stopping", "the controller's own account of its end:")
	began := time.Now()
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("interrupt the sample controller: %w", err)
	}
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		_ = p.process.Process.Kill()
		<-p.exited
	}
	say("controller", "gone %v after the signal", round(time.Since(began)))
	return p.failure()
}

func (p *play) failure() error {
	if p.err != nil {
		return fmt.Errorf("the sample controller: %w", p.err)
	}
	return nil
}
