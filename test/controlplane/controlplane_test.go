// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAServerThatDiesAtStartIsAnErrorWithItsLogAndNothingIsLeft(t *testing.T) {
	needsBinaries(t)
	dir := t.TempDir()
	_, err := Start(t.Context(), Options{Dir: dir, APIServerArgs: map[string][]string{"no-such-flag": {"1"}}})
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver.log") || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("error = %v, want the end of the server's log", err)
	}
	wantNothingLeft(t, dir)
}

func TestAStartWhoseContextEndsStopsAtOnceWithTheCauseAndNothingIsLeft(t *testing.T) {
	needsBinaries(t)
	dir := t.TempDir()
	why := errors.New("nobody wants it any more")
	ctx, cancel := context.WithCancelCause(t.Context())
	var ended time.Time
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if files, _ := filepath.Glob(filepath.Join(dir, "state-*", "kube-apiserver.pid")); len(files) > 0 {
				break
			}
		}
		ended = time.Now()
		cancel(why)
	}()
	_, err := Start(ctx, Options{Dir: dir})
	<-joined
	if !errors.Is(err, why) {
		t.Errorf("error = %v, want the cause", err)
	}
	if took := time.Since(ended); took > 10*time.Second {
		t.Errorf("Start returned %s after its context had ended", took)
	}
	wantNothingLeft(t, dir)
}

func TestAStartThatTakesTooLongSaysWhatWasMissing(t *testing.T) {
	needsBinaries(t)
	dir := t.TempDir()
	_, err := Start(t.Context(), Options{Dir: dir, StartTimeout: 500 * time.Millisecond})
	if !errors.Is(err, ErrStartTimeout) || !strings.Contains(err.Error(), "timeout waiting for process") {
		t.Errorf("error = %v, want ErrStartTimeout and the component", err)
	}
	wantNothingLeft(t, dir)
}

func TestStopWithAnEndedContextKillsAndCleansUp(t *testing.T) {
	p := start(t, Options{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
	wantNothingLeft(t, p.Dir())
}

// start starts a control plane that is stopped at the latest when t ends.
func start(t *testing.T, o Options) *ControlPlane {
	t.Helper()
	needsBinaries(t)
	began := time.Now()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(began))
	t.Cleanup(func() { stop(t, p) })
	return p
}

func stop(t *testing.T, p *ControlPlane) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	began := time.Now()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("stopped in %s", time.Since(began))
}

func needsBinaries(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts a control plane")
	}
}

// wantNothingLeft fails when a process still has dir in its arguments, or
// state is left in dir.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "state-*")); len(left) > 0 {
		t.Errorf("state is left: %v", left)
	}
	if runtime.GOOS != "linux" {
		return
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte(dir)) {
			t.Errorf("a process is left: %s", bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
}

func whoAmI(t *testing.T, c *rest.Config) authenticationv1.UserInfo {
	t.Helper()
	review, err := clientFor(t, c).AuthenticationV1().SelfSubjectReviews().
		Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.UserInfo
}
