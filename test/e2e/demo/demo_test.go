// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// binary is the demonstration, as `make run` builds it.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "lanyard-demo-test-")
	if err == nil {
		binary = filepath.Join(dir, "demo")
		var out []byte
		if out, err = exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("build the demonstration: %w\n%s", err, out)
		}
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func TestOnceShowsReadyFlundersAndTouchesNoClusterThatOnlyHappensToBeExported(t *testing.T) {
	exported := newTrap(t)
	d := start(t, []string{"KUBECONFIG=" + exported.kubeconfig}, "-once")
	d.wantExit(0)
	t.Logf("done after %v", time.Since(d.began).Round(100*time.Millisecond))
	for _, name := range []string{"base", "middle", "front"} {
		d.want(`(?m)^  ` + name + ` +true +Available +\S+ +\d+ +[1-9]\d* +[1-9]\d*$`)
	}
	d.want(`(?m)^  ping +false +ReferenceCycle `)
	d.want(`(?m)^  misspelt +false +InvalidImage `)
	d.want(`as pod flunder-controller-demo-a of system:serviceaccount:lanyard-system:flunder-controller`)
	d.want(`(?m)^page +http://127\.0\.0\.1:\d+ of pod flunder-controller-demo-[ab], live$`)
	d.want(`(?m)^leader +process \d+ leads, term flunder-controller-demo-[ab]#\d+;`)
	d.want(`export KUBECONFIG=` + regexp.QuoteMeta(d.tmp))
	d.wantNothingLeft()
	if n := exported.calls.Load(); n != 0 {
		t.Errorf("the cluster of the exported KUBECONFIG was called %d times", n)
	}
}

func TestReplicasShareTheWorkAndOneIsKilledStartedAndEnded(t *testing.T) {
	d := start(t, nil, "-replicas", "3", "-once")
	d.wantExit(0)
	t.Logf("done after %v", time.Since(d.began).Round(100*time.Millisecond))
	d.want(`(?m)^shares +a has [1-9]\d*, b has [1-9]\d*, c has [1-9]\d* of 64 slots, after`)
	d.want(`(?s)\nkill -9 .*?\nmoved +\d+ from a to b, \d+ from a to c, at rest after \S+\nshares +b has \d+, c has \d+ of 64 slots\n`)
	d.want(`(?s)\nstart +pod \S+-a again\n.*?moved +\d+ from b to a, \d+ from c to a, at rest`)
	d.want(`(?s)\nend +process .*?moved +\d+ from c to a, \d+ from c to b, at rest`)
	d.want(`(?m)^at rest +all 12 Flunders are ready$`)
	d.wantNothingLeft()
}

func TestCtrlCEndsTheControllerAndThenTheRest(t *testing.T) {
	d := start(t, nil)
	d.await("Ctrl-C ends the controllers")
	d.interrupt()
	d.wantExit(0)
	d.want(`(?s)(own account of its end:\n  stopped in .*?left running: nothing\n.*?){2}controllers +gone `)
	d.wantPromptEnd()
	d.wantNothingLeft()
}

func (d *demo) wantPromptEnd() {
	d.Helper()
	report := d.want(`\ncontrollers +gone (\S+) after the signal\ncontrol plane +stopped in `)
	if took, err := time.ParseDuration(report[1]); err != nil || took > time.Second {
		d.Errorf("the controllers were gone only after %s", report[1])
	}
}

func TestC16WhoKillsTheLeaderSeesTheOtherLead(t *testing.T) {
	d := start(t, nil)
	d.await("Ctrl-C ends the controllers")
	leads := regexp.MustCompile(`(?m)^leader +process (\d+) leads`)
	pid, err := strconv.Atoi(d.want(leads.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.eventually("the other leads", time.Minute, func() bool {
		all := leads.FindAllStringSubmatch(d.output.String(), -1)
		return len(all) == 2 && all[1][1] != all[0][1]
	})
	d.interrupt()
	d.wantExit(0)
	d.wantPromptEnd()
	d.wantNothingLeft()
}

func TestCtrlCWhileTheControlPlaneStartsLeavesNothing(t *testing.T) {
	d := start(t, nil)
	d.awaitProcess("kube-apiserver")
	d.interrupt()
	d.wantExit(0)
	d.wantNothingLeft()
}

func TestNothingIsLeftWhenTheDemonstrationIsKilled(t *testing.T) {
	d := start(t, nil)
	d.await("Ctrl-C ends the controllers")
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-d.gone
	d.awaitNoProcess(2 * time.Minute)
}

func TestWhatTheUserGotWrongIsOneClearError(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"no such kubeconfig":        {[]string{"-cluster=/no/such/file"}, "read the kubeconfig /no/such/file", 1},
		"-install without -cluster": {[]string{"-install"}, "name its kubeconfig with -cluster", 2},
		"an argument":               {[]string{"path/to/kubeconfig"}, `unknown argument "path/to/kubeconfig"`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, nil, c.args...)
			d.wantExit(c.status)
			if lines := strings.Split(strings.TrimSpace(d.output.String()), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], "demo: ") {
				t.Errorf("there are %d lines, want one that begins with demo:", len(lines))
			}
			d.want(regexp.QuoteMeta(c.want))
			d.wantNothingLeft()
		})
	}
}

// trap is an address that counts how often it is called.
type trap struct {
	kubeconfig string
	calls      atomic.Int64
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	trapped := &trap{kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := controlplane.WriteKubeconfig(trapped.kubeconfig, &rest.Config{Host: "https://" + listener.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			trapped.calls.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return trapped
}
