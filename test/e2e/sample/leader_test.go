// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
)

var leading = regexp.MustCompile(`"Leading" lease="lanyard-system/sample-controller" term="(\S+)#\d+"`)

// candidate starts a replica, under the permissions of config/rbac and no others.
func (e *env) candidate(name string, more ...string) *process {
	e.Helper()
	args := elect(kubeconfig(e.T, account(e.T)), "-leader-elect-identity="+name, "-health-addr=127.0.0.1:0", "-namespace="+e.namespace)
	return start(e.T, append(args, more...)...)
}

func TestC16AStandByIsReadyAndReconcilesWhenTheLeaderEnds(t *testing.T) {
	e := newEnv(t)
	a := e.candidate("a").ready()
	if holder := a.output.Await(t, leading)[1]; holder != "a" {
		t.Errorf("%s leads", holder)
	}
	b := e.candidate("b").ready()
	if leading.MatchString(b.output.String()) {
		t.Error("two lead")
	}
	if status, body := get(t, b.healthURL()+"/healthz"); status != http.StatusOK || body != "ok" {
		t.Errorf("/healthz of the stand-by is %d %q", status, body)
	}
	e.create("first")
	e.awaitRollingOut("first")
	a.signal(syscall.SIGTERM)
	wantPromptEnd(t, a)
	if !strings.Contains(a.output.String(), "Lease released") {
		t.Error("it does not say that it has released the lease")
	}
	b.output.Await(t, leading)
	e.create("second")
	e.awaitRollingOut("second")
	b.signal(syscall.SIGTERM)
	wantPromptEnd(t, b)
}

func TestC17WithExitOnLossALeaderThatHasLostTheLeaseExitsWithOneAndSaysWhy(t *testing.T) {
	e := newEnv(t)
	p := e.candidate("a", "-leader-elect-exit-on-loss").ready()
	p.output.Await(t, leading)
	give(t, "somebody")
	if status, _ := p.exit(time.Minute); status != 1 {
		t.Errorf("the exit status is %d, want 1", status)
	}
	for _, text := range []string{"flunder-controller: this process ends because it does not lead any more", "another process holds the lease: somebody"} {
		if !strings.Contains(p.output.String(), text) {
			t.Errorf("it does not say %q", text)
		}
	}
	give(t, "")
}

func TestC17WithoutThatItStandsByAndLeadsAgain(t *testing.T) {
	e := newEnv(t)
	p := e.candidate("a").ready()
	p.output.Await(t, leading)
	give(t, "somebody")
	p.output.Await(t, regexp.MustCompile(`"Leadership ended".*another process holds the lease: somebody`))
	give(t, "")
	p.output.Await(t, regexp.MustCompile(`(?s)"Leadership ended".*"Leading" lease=`))
	e.create("later")
	e.awaitRollingOut("later")
	p.signal(syscall.SIGTERM)
	wantPromptEnd(t, p)
}

// give writes a holder into the lease, as somebody with an editor would.
func give(t *testing.T, holder string) {
	t.Helper()
	leases := kubernetes.NewForConfigOrDie(plane.Config()).CoordinationV1().Leases(system)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		lease, err := leases.Get(t.Context(), "sample-controller", metav1.GetOptions{})
		if err == nil {
			lease.Spec.HolderIdentity = ptr.To(holder)
			_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
