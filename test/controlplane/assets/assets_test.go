// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyTheComponentsAskedForAreBuiltAndOnlyOnce(t *testing.T) {
	s := newStub(t)
	dir := s.ensure(t, Etcd, APIServer)
	want := []string{"etcd", "etcd.json", "kube-apiserver", "kube-apiserver.json", "lock"}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Errorf("the cache entry differs (-want +got):\n%s", diff)
	}
	if again := s.ensure(t, Etcd, APIServer); again != dir {
		t.Errorf("asked again, the folder is %s, it was %s", again, dir)
	}
	want = []string{
		"go.etcd.io/etcd/server/v3",
		"k8s.io/kubernetes/cmd/kube-apiserver",
	}
	if diff := cmp.Diff(want, s.built(t)); diff != "" {
		t.Errorf("packages built differ (-want +got):\n%s", diff)
	}
}

func TestTheBuildRunsInTheRecipeWithItsVersionAndWithoutTheUsersWorkspace(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=vendor")
	t.Setenv("GOWORK", "/somewhere/go.work")
	s := newStub(t)
	s.ensure(t, APIServer)
	call := s.calls(t)
	for _, want := range []string{
		"GOWORK=off", "GOFLAGS=-mod=readonly", "kubernetes.recipe", "-trimpath",
		"version.gitVersion=" + KubernetesVersion,
	} {
		if !strings.Contains(call, want) {
			t.Errorf("the call of the go command lacks %q:\n%s", want, call)
		}
	}
}

func TestADamagedEntryIsBuiltAgainAndTheMessageSaysWhy(t *testing.T) {
	for _, damage := range []struct {
		name, says string
		thorough   bool
		do         func(path string) error
	}{
		{"truncated", "bytes instead of", false, func(path string) error { return os.Truncate(path, 3) }},
		{"overwritten", "checksum", false, overwrite},
		{"overwritten with its time restored", "checksum", true, func(path string) error {
			info, err := os.Stat(path)
			return errors.Join(err, overwrite(path), os.Chtimes(path, info.ModTime(), info.ModTime()))
		}},
		{"removed", "is missing", false, os.Remove},
		{"without manifest", "manifest is missing", false, func(path string) error { return os.Remove(path + ".json") }},
		{"with half a manifest", "manifest is damaged", false, func(path string) error { return os.Truncate(path+".json", 9) }},
	} {
		t.Run(damage.name, func(t *testing.T) {
			s := newStub(t)
			binary := filepath.Join(s.ensure(t, Etcd), "etcd")
			if err := damage.do(binary); err != nil {
				t.Fatal(err)
			}
			s.options.Thorough = damage.thorough
			dir := s.ensure(t, Etcd)
			if got := s.progress.String(); !strings.Contains(got, "etcd in the cache is broken") || !strings.Contains(got, damage.says) {
				t.Errorf("progress does not say that the entry is broken, because %q:\n%s", damage.says, got)
			}
			if err := verify(dir, Etcd, true); err != nil {
				t.Errorf("after the second build: %v", err)
			}
			if got := len(s.built(t)); got != 2 {
				t.Errorf("built %d times, want 2", got)
			}
		})
	}
}

func TestAnEntryWithAnotherTimeButTheSameContentIsNotBuiltAgain(t *testing.T) {
	s := newStub(t)
	binary := filepath.Join(s.ensure(t, Etcd), "etcd")
	if err := os.Chtimes(binary, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.ensure(t, Etcd)
	if got := len(s.built(t)); got != 1 {
		t.Errorf("built %d times, want 1", got)
	}
}

func TestAFailedBuildNamesTheComponentShowsTheOutputAndLeavesNothing(t *testing.T) {
	s := newStub(t)
	s.script(t, "echo undefined: frobnicate >&2; exit 1")
	dir, err := Ensure(t.Context(), s.options, Etcd)
	if err == nil || !strings.Contains(err.Error(), "build etcd") || !strings.Contains(err.Error(), "undefined: frobnicate") {
		t.Errorf("error = %v, want the component and the compiler's message", err)
	}
	wantOnlyLock(t, dir)
}

func TestAnEndedContextStopsTheBuildWithItsCauseAndLeavesNothing(t *testing.T) {
	s := newStub(t)
	s.script(t, `echo half > "$out"; touch "$stub/started"; sleep 1000 & wait`)
	why := errors.New("the operator changed her mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		waitFor(t, filepath.Join(s.dir, "started"))
		cancel(why)
	}()
	began := time.Now()
	dir, err := Ensure(ctx, s.options, Etcd)
	<-stopped
	if !errors.Is(err, why) {
		t.Errorf("error = %v, want the cause", err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("stopping took %s", took)
	}
	wantOnlyLock(t, dir)
}

func TestALongBuildSaysHowLongItHasBeenRunning(t *testing.T) {
	out := &buffer{}
	p := &progress{w: out, every: time.Millisecond}
	err := p.during("building something", func() error {
		for !strings.Contains(out.String(), "building something: 0s elapsed") {
			time.Sleep(time.Millisecond)
		}
		return io.EOF
	})
	if !errors.Is(err, io.EOF) {
		t.Errorf("error = %v, want that of the build", err)
	}
}

func TestWhoComesSecondWaitsForTheFirstAndBuildsNothing(t *testing.T) {
	s := newStub(t)
	s.script(t, `touch "$stub/started"; while ! test -e "$stub/go-on"; do sleep 0.01; done; echo binary > "$out"`)
	results := make(chan error, 2)
	ensure := func() { _, err := Ensure(t.Context(), s.options, Etcd); results <- err }
	go ensure()
	waitFor(t, filepath.Join(s.dir, "started"))
	go ensure()
	for !strings.Contains(s.progress.String(), "waiting for another process") {
		time.Sleep(time.Millisecond)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "go-on"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-results, <-results); err != nil {
		t.Error(err)
	}
	if got := len(s.built(t)); got != 1 {
		t.Errorf("built %d times, want 1", got)
	}
}

func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	s := newStub(t)
	dir, err := s.options.entry()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), filepath.Join(dir, "lock"), &progress{w: io.Discard, every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Ensure(ctx, s.options, Etcd); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the context's", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	s.ensure(t, Etcd)
}

func TestWorkLeftByAKilledBuildIsRemoved(t *testing.T) {
	s := newStub(t)
	dir, err := s.options.entry()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "work-123", "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.ensure(t, Etcd)
	if diff := cmp.Diff([]string{"etcd", "etcd.json", "lock"}, names(t, dir)); diff != "" {
		t.Errorf("the cache entry differs (-want +got):\n%s", diff)
	}
}

func TestKwokComesWithTheStagesOfItsModule(t *testing.T) {
	s := newStub(t)
	for path, content := range map[string]string{
		"node/fast/a.yaml":                 "kind: A",
		"node/fast/kustomization.yaml":     "kind: Kustomization",
		"node/heartbeat-with-lease/b.yaml": "kind: B",
		"pod/fast/c.yaml":                  "kind: C",
	} {
		path = filepath.Join(s.dir, "module", "kustomize", "stage", path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(s.ensure(t, Kwok), StagesFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("---\nkind: A\n---\nkind: B\n---\nkind: C\n", string(got)); diff != "" {
		t.Errorf("stages differ (-want +got):\n%s", diff)
	}
}

func TestAMachineWithoutGoIsToldWhatToDo(t *testing.T) {
	s := newStub(t)
	s.options.Go = filepath.Join(t.TempDir(), "go")
	_, err := Ensure(t.Context(), s.options, Etcd)
	if !errors.Is(err, ErrNoToolchain) || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("error = %v, want ErrNoToolchain and advice", err)
	}
}

func TestKubebuilderAssetsIsUsedInsteadOfBuilding(t *testing.T) {
	s := newStub(t)
	dir := t.TempDir()
	t.Setenv(EnvAssets, dir)
	if err := os.WriteFile(filepath.Join(dir, "etcd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := s.ensure(t, Etcd); got != dir {
		t.Errorf("folder = %s, want %s", got, dir)
	}
	_, err := Ensure(t.Context(), s.options, Etcd, APIServer)
	missing := filepath.Join(dir, "kube-apiserver")
	if !errors.Is(err, ErrNotInAssets) || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "unset "+EnvAssets) {
		t.Errorf("error = %v, want ErrNotInAssets, the file and advice", err)
	}
	if got := s.built(t); len(got) != 0 {
		t.Errorf("built %v although %s is set", got, EnvAssets)
	}
}

func TestTheRecipesPinTheVersionsThatThePackageNames(t *testing.T) {
	pinned := map[string]string{
		"etcd": "go.etcd.io/etcd/server/v3 " + EtcdVersion,
		"kwok": "sigs.k8s.io/kwok " + KwokVersion,
	}
	for _, version := range KubernetesVersions() {
		pinned["kubernetes-"+version] = "k8s.io/kubernetes " + version
	}
	for module, want := range pinned {
		data, err := fs.ReadFile(recipes, "recipes/"+module+".mod")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), want) {
			t.Errorf("%s.mod does not require %s", module, want)
		}
	}
}

func TestTheNameOfAnEntryBeginsWithTheVersion(t *testing.T) {
	for _, version := range KubernetesVersions() {
		got, err := key(version)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got, version+"-") {
			t.Errorf("key = %s", got)
		}
	}
}

func TestEachVersionOfKubernetesIsBuiltFromItsRecipeIntoAFolderOfItsOwn(t *testing.T) {
	folders := map[string]string{}
	for _, version := range KubernetesVersions() {
		s := newStub(t)
		s.options.Kubernetes = version
		dir := filepath.Base(s.ensure(t, APIServer))
		if other, taken := folders[dir]; taken {
			t.Errorf("%s and %s are both in %s", version, other, dir)
		}
		folders[dir] = version
		for _, want := range []string{"k8s.io/kubernetes " + version, "version.gitVersion=" + version + " "} {
			if !strings.Contains(s.calls(t), want) {
				t.Errorf("the build of %s lacks %q:\n%s", version, want, s.calls(t))
			}
		}
		if !strings.Contains(s.progress.String(), "for Kubernetes "+version) {
			t.Errorf("the progress does not name %s:\n%s", version, s.progress)
		}
	}
}

func TestAVersionWithoutARecipeIsAnErrorThatListsThoseThereAre(t *testing.T) {
	for _, override := range []string{"", t.TempDir()} {
		s := newStub(t)
		t.Setenv(EnvAssets, override)
		s.options.Kubernetes = "1.37.2"
		_, err := Ensure(t.Context(), s.options, Etcd)
		if !errors.Is(err, ErrUnknownVersion) || !strings.Contains(err.Error(), strings.Join(KubernetesVersions(), ", ")) {
			t.Errorf("error = %v, want ErrUnknownVersion and the versions", err)
		}
	}
}
