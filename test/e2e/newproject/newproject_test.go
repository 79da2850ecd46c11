// SPDX-License-Identifier: Apache-2.0

// Package newproject_test makes a project with the command-line tool, and does with it what its author would.
package newproject_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/repo"
)

// limit is for one step. The first ones build the generators and, on a new machine, a control plane.
const limit = 30 * time.Minute

// author is somebody who works on a project.
type author struct {
	*testing.T
	lanyard string // the program
	dir     string // of the project
}

// do runs a command in the project's folder and returns what it says. It fails the test if the command fails.
func (a *author) do(name string, args ...string) string {
	a.Helper()
	output, err := a.try(name, args...)
	if err != nil {
		a.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return output
}

func (a *author) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(a.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = a.dir
	output, err := command.CombinedOutput()
	return string(output), err
}

// TestANewProjectWorks is one story, because each step needs the one before: a project is made, its tests pass, it
// runs, kinds and controllers are added, and its tests pass again.
func TestANewProjectWorks(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	root, err = filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	a := &author{T: t, lanyard: filepath.Join(t.TempDir(), "lanyard"), dir: t.TempDir()}
	a.do("go", "build", "-C", filepath.Join(root, "cmd", "lanyard"), "-o", a.lanyard, ".")

	said := a.do(a.lanyard, "init", "example.com/shop/widget-operator", "--group", "shop.example.com", "--kind", "Widget",
		"--dir", ".", "--lanyard", root)
	if !strings.Contains(said, "make run") {
		t.Errorf("init does not say what to do next:\n%s", said)
	}
	a.do("make", "test")
	a.makeRun("Widget default/widget-sample is ready")
	a.assertRestricted(filepath.Join(a.dir, "config", "default"))
	a.assertRestricted(a.withAllComponents(), "--metrics-addr=:8443", "--metrics-secure", "--page-addr=127.0.0.1:8082")

	// The author changes a file of each sort.
	for _, name := range []string{"internal/controllers/widget.go", "api/shop/v1alpha1/widget_types.go", "main.go", "test/start_test.go"} {
		a.append(name, "\n// Changed by its author.\n")
	}
	before := a.files()
	a.do(a.lanyard, "add", "kind", "Policy", "--plural", "shoprules")
	a.do(a.lanyard, "add", "kind", "Widget", "--group", "billing.example.com", "--version", "v1")
	a.do(a.lanyard, "add", "controller", "pod-counter", "--for", "v1/Pod")
	a.do(a.lanyard, "add", "controller", "pricer", "--for", "shop.example.com/v1alpha1/Widget")
	a.assertKept(before)
	a.do("make", "test")
	a.makeRun("Widget default/widget-sample is ready", "Policy default/policy-sample is ready",
		"Widget default/billingwidget-sample is ready")

	before = a.files()
	for _, args := range [][]string{{"kind", "Widget"}, {"controller", "pricer", "--for", "v1/Pod"}} {
		if output, err := a.try(a.lanyard, append([]string{"add"}, args...)...); err == nil || strings.Count(output, "\n") != 1 {
			t.Errorf("add %v a second time: %v, which is not one line:\n%s", args, err, output)
		}
	}
	a.assertKept(before)
	if after := a.files(); len(after) != len(before) {
		t.Errorf("there were %d files, and there are %d", len(before), len(after))
	}
}

// makeRun runs the project until it has said all lines, and then interrupts it.
func (a *author) makeRun(lines ...string) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, "make", "run")
	command.Dir = a.dir
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for all processes of a terminal
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	stdout, out := io.Pipe()
	var all strings.Builder
	command.Stdout = io.MultiWriter(out, &all)
	command.Stderr = command.Stdout // the same, so that one goroutine writes
	if err := command.Start(); err != nil {
		a.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- command.Wait()
		_ = out.Close() // a pipe in memory
	}()
	waiting := map[string]bool{}
	for _, line := range lines {
		waiting[line] = true
	}
	interrupted := false
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		delete(waiting, scanner.Text())
		if len(waiting) == 0 && !interrupted {
			interrupted = true
			if err := syscall.Kill(-command.Process.Pid, syscall.SIGINT); err != nil {
				a.Error(err)
			}
		}
	}
	// make ends itself by the signal that it was sent, after the program has ended.
	if err := <-done; err == nil || err.Error() != "signal: interrupt" || len(waiting) > 0 {
		a.Fatalf("make run ended with %v, without the lines %v:\n%s", err, waiting, all.String())
	}
	if !strings.Contains(all.String(), "stopped in ") {
		a.Errorf("the program did not end in order:\n%s", all.String())
	}
}

// withAllComponents makes a kustomization with all components that config/default names in a comment, but
// config/metrics, in whose place config/secure is. It returns its folder.
func (a *author) withAllComponents() string {
	a.Helper()
	folder := filepath.Join(a.dir, "config", "all")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		a.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(a.dir, "config", "default", "kustomization.yaml"))
	if err == nil {
		all := strings.ReplaceAll(strings.ReplaceAll(string(text), "# - ../metrics\n", ""), "# - ../", "- ../")
		err = os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(all), 0o600)
	}
	if err != nil {
		a.Fatal(err)
	}
	return folder
}

// assertRestricted asserts that the pods of the Deployment meet the pod security standard of that name, and have the
// flags.
func (a *author) assertRestricted(kustomization string, flags ...string) {
	a.Helper()
	objects, err := kustomize.Build(kustomization)
	if err != nil {
		a.Fatal(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		a.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	found := false
	for _, object := range objects {
		if object.GetKind() != "Deployment" {
			continue
		}
		found = true
		var deployment appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment); err != nil {
			a.Fatal(err)
		}
		template := &deployment.Spec.Template
		if result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec)); !result.Allowed {
			a.Error(result.ForbiddenDetail())
		}
		args := template.Spec.Containers[0].Args
		for _, want := range append(flags, "--leader-elect") {
			if *deployment.Spec.Replicas != 2 || !slices.Contains(args, want) {
				a.Errorf("the Deployment has %d replicas with the flags %v, without %s", *deployment.Spec.Replicas, args, want)
			}
		}
	}
	if !found {
		a.Errorf("%s has no Deployment", kustomization)
	}
}

func (a *author) append(name, text string) {
	a.Helper()
	file, err := os.OpenFile(filepath.Join(a.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		a.Fatal(err)
	}
}

// files are the files of the project that are not generated, with their contents' sums.
func (a *author) files() map[string][sha256.Size]byte {
	a.Helper()
	sums := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(a.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(a.dir, path)
		if err != nil {
			return err
		}
		for _, generated := range []string{"bin/", "client/", "config/crd/", "config/rbac/role.yaml"} {
			if strings.HasPrefix(filepath.ToSlash(name), generated) {
				return nil
			}
		}
		if strings.HasPrefix(filepath.Base(name), "zz_generated.") {
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // the test's own
		sums[name] = sha256.Sum256(content)
		return err
	})
	if err != nil {
		a.Fatal(err)
	}
	return sums
}

func (a *author) assertKept(before map[string][sha256.Size]byte) {
	a.Helper()
	after := a.files()
	for name, sum := range before {
		if after[name] != sum {
			a.Errorf("%s is not as its author left it", name)
		}
	}
}
