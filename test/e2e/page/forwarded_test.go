// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/program"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kubelet"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// tool is the command-line tool.
var tool string

func buildTool(ctx context.Context, root, dir string) error {
	tool = filepath.Join(dir, "lanyard")
	return gobuild.Program(ctx, root, "cmd/lanyard", ".", tool)
}

// run runs the tool with a kubeconfig, and returns what it prints.
func run(t *testing.T, config *rest.Config, args ...string) (string, error) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, controlplane.WriteKubeconfig(kubeconfig, config))
	out, err := exec.CommandContext(t.Context(), tool, append(args, "--kubeconfig", kubeconfig)...).CombinedOutput()
	return string(out), err
}

// The page is on the loopback address of the program's pod. The tool reaches it through the API server and the kubelet.
func TestTheToolReachesAProgramInItsPodByPortForward(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(plane.Config())
	r := start(t, plane.Config(), program.Options{Name: "forwarded"}, "-page-addr=127.0.0.1:0")
	_, port, err := net.SplitHostPort(r.address(t, "page"))
	must(t, err)
	_, err = client.CoreV1().Secrets(r.namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "credentials"}}, metav1.CreateOptions{})
	must(t, err)
	node, err := kubelet.NewNode(t.Context(), client, r.namespace)
	must(t, err)
	t.Cleanup(node.Close)
	pods := client.CoreV1().Pods(r.namespace)
	_, err = node.Create(t.Context(), pods, "program-0")
	must(t, err)
	one := []string{"--port", port, "-n", r.namespace, "--pod", "program-0"}

	suite.Eventually(t, "the story is told", func() error {
		out, err := run(t, plane.Config(), append([]string{"why", r.namespace + "/credentials"}, one...)...)
		if err != nil || !strings.Contains(out, "create secrets credentials-copy") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if out, err := run(t, plane.Config(), append([]string{"top"}, one...)...); err != nil || !strings.HasPrefix(out, "forwarded at ") || !strings.Contains(out, "secrets (Secret") {
		t.Errorf("lanyard top prints %s, %v", out, err)
	}

	// By labels it is the first pod that runs.
	selected := []string{"top", "-o", "json", "--port", port, "-n", r.namespace, "-l", "app=program"}
	if out, err := run(t, plane.Config(), selected...); err == nil || !strings.Contains(out, "no pod runs in the namespace "+r.namespace) {
		t.Errorf("with no such pod it prints %s, %v", out, err)
	}
	_, err = pods.Patch(t.Context(), "program-0", types.MergePatchType, []byte(`{"metadata":{"labels":{"app":"program"}}}`), metav1.PatchOptions{})
	must(t, err)
	_, err = pods.Patch(t.Context(), "program-0", types.MergePatchType, []byte(`{"status":{"phase":"Running"}}`), metav1.PatchOptions{}, "status")
	must(t, err)
	if out, err := run(t, plane.Config(), selected...); err != nil || !json.Valid([]byte(out)) {
		t.Errorf("as JSON it prints %s, %v", out, err)
	}

	// Who may not get pods/portforward, as a WebSocket does, but may create it: by SPDY.
	account(t, r.namespace, "viewer")
	grant(t, r.namespace, "viewer", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods/portforward"}, Verbs: []string{"create"}})
	viewer, err := plane.ServiceAccountConfig(t.Context(), r.namespace, "viewer")
	must(t, err)
	suite.Eventually(t, "SPDY is enough", func() error {
		out, err := run(t, viewer, append([]string{"top"}, one...)...)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})

	for what, args := range map[string][]string{
		"pods \"program-1\" not found": {"top", "--port", port, "-n", r.namespace, "--pod", "program-1"},
		"connection refused":           {"top", "--port", "1", "-n", r.namespace, "--pod", "program-0"},
	} {
		if out, err := run(t, plane.Config(), args...); err == nil || !strings.Contains(out, what) {
			t.Errorf("it prints %q, %v; want one that says %s", out, err, what)
		}
	}
}
