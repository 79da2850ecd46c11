// SPDX-License-Identifier: Apache-2.0

package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/google/go-cmp/cmp"

	"github.com/lanyard-k8s/lanyard/test/e2e/image"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
)

func TestTheBinaryIsStatic(t *testing.T) {
	file, err := elf.Open(image.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it asks for a dynamic loader, which scratch does not have")
		}
	}
	if file.Section(".symtab") != nil || file.Section(".debug_info") != nil {
		t.Error("it has symbols or debug information, which nobody in the image can read")
	}
}

func TestTheImageHoldsTheBinaryAndNothingElse(t *testing.T) {
	img := image.ForTest(t, image.BuilderForTest(t))
	contents, err := img.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if contents.User != "65532:65532" {
		t.Errorf("the user is %q, want 65532:65532", contents.User)
	}
	if diff := cmp.Diff([]string{image.Entrypoint}, contents.Entrypoint); diff != "" {
		t.Error("entrypoint:", diff)
	}
	if len(contents.Cmd) > 0 {
		t.Errorf("it has default arguments: %q", contents.Cmd)
	}
	for label, want := range map[string]string{
		"org.opencontainers.image.title":    "flunder-controller",
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.source":   "https://github.com/lanyard-k8s/lanyard",
	} {
		if got := contents.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}

	var files []string
	for _, layer := range contents.Layers {
		for _, file := range layer {
			if file.Typeflag == tar.TypeDir {
				continue
			}
			files = append(files, path.Join("/", file.Name))
			if file.Uid != 0 || file.Mode&0o777 != 0o755 {
				t.Errorf("%s belongs to %d with mode %o, want root's and 755", file.Name, file.Uid, file.Mode)
			}
		}
	}
	if diff := cmp.Diff([]string{image.Entrypoint}, files); diff != "" {
		t.Error("files:", diff)
	}
}

func TestTheImagesProcessIsNotRootAndOnTheHostsNetwork(t *testing.T) {
	img := probe(t)
	var out bytes.Buffer
	if err := img.Run(t.Context(), image.RunOptions{Output: &out}, "some", "arguments"); err != nil {
		t.Fatal(err, out.String())
	}
	// What the probe writes to its two outputs comes in any order.
	_, result, _ := strings.Cut(out.String(), "{")
	var got map[string]any
	if err := json.NewDecoder(strings.NewReader("{" + result)).Decode(&got); err != nil {
		t.Fatal(err, out.String())
	}
	network, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"args":     []any{image.Entrypoint, "some", "arguments"},
		"uid":      65532.,
		"gid":      65532.,
		"network":  network,
		"writable": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARunGetsSIGTERMWhenItsContextEndsAndIsWaitedFor(t *testing.T) {
	img := probe(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &waitingFor{text: "waiting\n", then: cancel}
	if err := img.Run(ctx, image.RunOptions{Output: out}, "wait"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.HasSuffix(out.String(), "got: terminated\n") {
		t.Errorf("the process did not end by SIGTERM: %q", out)
	}
}

// The arguments come first: a flag that the controller does not have fails before --help is seen.
func TestTheControllerInTheImageHasTheFlagsThatTheDeploymentPasses(t *testing.T) {
	img := image.ForTest(t, image.BuilderForTest(t))
	var out bytes.Buffer
	args := append(deploymentArgs(t), "--help")
	if err := img.Run(t.Context(), image.RunOptions{Output: &out}, args...); err != nil {
		t.Fatalf("flunder-controller %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	if !strings.Contains(out.String(), "health-addr") {
		t.Errorf("--help did not print the flags:\n%s", out.String())
	}
}

func TestARunThatFailsIsAnError(t *testing.T) {
	img := image.ForTest(t, image.BuilderForTest(t))
	if err := img.Run(t.Context(), image.RunOptions{}, "--no-such-flag"); err == nil {
		t.Error("a controller that was given an unknown flag exited with zero")
	}
}

func deploymentArgs(t *testing.T) []string {
	t.Helper()
	objects, err := kustomize.Build(filepath.Join(image.Repo(t), "config", "manager"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		var d appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &d); err != nil {
			t.Fatal(err)
		}
		return d.Spec.Template.Spec.Containers[0].Args
	}
	t.Fatal("config/manager has no Deployment")
	return nil
}

// probe is the image with testdata/probe in the controller's place.
func probe(t *testing.T) *image.Image {
	t.Helper()
	builder := image.BuilderForTest(t)
	binary := filepath.Join(t.TempDir(), "probe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./testdata/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	img, err := image.Build(t.Context(), builder, image.Repo(t), binary)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// waitingFor keeps what is written, and calls then when it contains text.
type waitingFor struct {
	buffer bytes.Buffer // not embedded: its ReadFrom would pass Write by
	text   string
	then   func()
}

func (w *waitingFor) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	if strings.Contains(w.String(), w.text) {
		w.then()
	}
	return n, err
}

func (w *waitingFor) String() string { return w.buffer.String() }
