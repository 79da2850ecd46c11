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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
)

// play is the sample controller, running as several processes, as its Deployment has several pods.
type play struct {
	stage    *stage
	binary   string
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
	if err := gobuild.Program(ctx, st.root, "sample-controller", ".", binary); err != nil {
		return nil, err
	}
	p := &play{stage: st, binary: binary, exited: make(chan struct{}), costs: map[types.NamespacedName]cost{}}
	for _, pod := range st.pods {
		if err := p.start(ctx, pod); err != nil {
			return nil, errors.Join(err, p.stop())
		}
	}
	go func(first []*replica) {
		defer close(p.exited)
		for _, r := range first {
			<-r.exited
		}
	}(slices.Clone(p.replicas))
	return p, nil
}

// start runs a replica with the token that the kubelet would give to that pod, and by which the API server's
// fence knows it.
func (p *play) start(ctx context.Context, pod string) error {
	config, err := controlplane.PodConfig(ctx, p.stage.admin, systemNamespace, pod)
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(p.stage.dir, pod+".kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, config); err != nil {
		return err
	}
	how := []string{"-leader-elect", "-namespace", samplesNamespace}
	if p.stage.shards {
		how = []string{"-shards"}
	}
	r := &replica{pod: pod, exited: make(chan struct{})}
	// Not CommandContext, which would kill it: stop lets it end as a pod would.
	r.process = exec.Command(p.binary, append(how, //ctxvet:ok noctx: see above
		"-kubeconfig", kubeconfig, "-health-addr", "", "-page-addr", "127.0.0.1:0", "-log-format", "json", "-v", "2")...)
	r.process.Env = append(os.Environ(), "POD_NAME="+pod, "POD_NAMESPACE="+systemNamespace)
	r.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at the terminal is not its to hear
	output, err := r.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := r.process.Start(); err != nil {
		return fmt.Errorf("start the sample controller: %w", err)
	}
	go func() {
		defer close(r.exited)
		r.read(output, p.note)
		r.err = r.process.Wait()
		r.gone()
	}()
	say("controller", "process %d, as pod %s of system:serviceaccount:%s:%s", r.process.Process.Pid, pod, systemNamespace, account)
	p.replicas = append(p.replicas, r)
	return nil
}

// of returns the process that passes for a pod now, or nil.
func (p *play) of(pod string) *replica {
	for _, r := range p.replicas {
		select {
		case <-r.exited:
			continue
		default:
		}
		if r.pod == pod {
			return r
		}
	}
	return nil
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
	// Address is where something is served.
	Address string
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
	case l.Msg == "Serving page":
		say("page", "http://%s of pod %s, live", l.Address, r.pod)
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
