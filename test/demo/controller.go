// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// play is the sample controller, running as two processes, as its Deployment has two pods: one leads.
type play struct {
	replicas []*replica
	exited   chan struct{} // closed when all are gone

	mu    sync.Mutex
	costs map[types.NamespacedName]cost
}

// cost is what reconciling an object has taken so far, whoever did it.
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
	p := &play{exited: make(chan struct{}), costs: map[types.NamespacedName]cost{}}
	for _, pod := range pods {
		r, err := p.start(ctx, st, binary, pod)
		if err != nil {
			return nil, errors.Join(err, p.stop())
		}
		p.replicas = append(p.replicas, r)
	}
	go func() {
		defer close(p.exited)
		for _, r := range p.replicas {
			<-r.exited
		}
	}()
	return p, nil
}

// start runs a replica with the token that the kubelet would give to that pod, and by which the API server's
// fence knows it.
func (p *play) start(ctx context.Context, st *stage, binary, pod string) (*replica, error) {
	config, err := controlplane.PodConfig(ctx, st.admin, systemNamespace, pod)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(st.dir, pod+".kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, config); err != nil {
		return nil, err
	}
	r := &replica{pod: pod, exited: make(chan struct{})}
	// Not CommandContext, which would kill it: stop lets it end as a pod would.
	r.process = exec.Command(binary, "-kubeconfig", kubeconfig, "-namespace", samplesNamespace, //ctxvet:ok noctx: see above
		"-leader-elect", "-health-addr", "", "-log-format", "json", "-v", "2")
	r.process.Env = append(os.Environ(), "POD_NAME="+pod, "POD_NAMESPACE="+systemNamespace)
	r.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at the terminal is not its to hear
	output, err := r.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("start the sample controller: %w", err)
	}
	go func() {
		defer close(r.exited)
		r.read(output, p.note)
		r.err = r.process.Wait()
		r.gone()
	}()
	say("controller", "process %d, as pod %s of system:serviceaccount:%s:%s", r.process.Process.Pid, pod, systemNamespace, account)
	return r, nil
}

// line is what is of interest in a line of the controller's log.
type line struct {
	Level  string
	Msg    string
	Err    string
	Term   string
	Result string
	Calls  int
	Writes int
	Object types.NamespacedName
	Report string // of the end
}

// note takes the costs out of the controllers' logs, and shows who leads, and errors.
func (p *play) note(r *replica, content []byte) error {
	var l line
	if err := json.Unmarshal(content, &l); err != nil {
		return err
	}
	if l.Report != "" {
		r.account = append(r.account, strings.Split(strings.TrimSpace(l.Report), "\n")...)
	}
	if l.Result != "" {
		p.mu.Lock()
		c := p.costs[l.Object]
		p.costs[l.Object] = cost{reconciles: c.reconciles + 1, calls: c.calls + l.Calls, writes: c.writes + l.Writes}
		p.mu.Unlock()
	}
	switch {
	case l.Msg == "Leading":
		say("leader", "process %d leads, term %s; the other is warm and waits", r.process.Process.Pid, l.Term)
	case l.Level == "ERROR" || strings.HasPrefix(l.Msg, "List or watch failed"):
		say("controller", "%s %s: %s", l.Msg, l.Object, l.Err)
	}
	return nil
}

func (p *play) cost(name types.NamespacedName) cost {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.costs[name]
}

// stop sends the controllers what Ctrl-C would, and waits for them to be gone.
func (p *play) stop() error {
	fmt.Println()
	began := time.Now()
	var errs []error
	for _, r := range p.replicas {
		errs = append(errs, r.interrupt())
	}
	limit := time.After(30 * time.Second)
	for _, r := range p.replicas {
		errs = append(errs, r.await(limit))
	}
	say("controllers", "gone %v after the signal", round(time.Since(began)))
	return errors.Join(errs...)
}
