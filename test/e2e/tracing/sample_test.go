// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/gobuild"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
)

// build builds the sample controller.
func build(ctx context.Context) error {
	return gobuild.Program(ctx, root, "sample-controller", ".", binary)
}

// process is a run of the sample controller.
type process struct {
	*env
	cmd    *exec.Cmd
	output *output.Buffer
	gone   chan struct{}
}

// sample runs the sample controller in this namespace until the test ends.
func (e *env) sample(config *rest.Config, variables []string, args ...string) *process {
	e.Helper()
	kubeconfig := filepath.Join(e.TempDir(), "kubeconfig")
	e.must(controlplane.WriteKubeconfig(kubeconfig, config))
	p := &process{env: e, output: &output.Buffer{}, gone: make(chan struct{})}
	// Not CommandContext, which would kill it before it has flushed.
	p.cmd = exec.Command(binary, append([]string{"-kubeconfig", kubeconfig, "-namespace", e.namespace, "-health-addr", ""}, args...)...)
	p.cmd.Env = append([]string{"HOME=" + e.TempDir(), "OTEL_BSP_SCHEDULE_DELAY=100"}, variables...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	e.must(p.cmd.Start())
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait() // the state says how it ended
	}()
	e.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		<-p.gone
		if e.Failed() {
			e.Logf("the sample controller wrote:\n%s", p.output)
		}
	})
	return p
}

var metricsLine = regexp.MustCompile(`Serving metrics.*?(127\.0\.0\.1:\d+)`)

// scrape is what /metrics says.
func (p *process) scrape(accept string) string {
	p.Helper()
	var address string
	p.eventually("it serves metrics", func() error {
		match := metricsLine.FindStringSubmatch(p.output.String())
		if match == nil {
			return fmt.Errorf("it wrote %q", p.output)
		}
		address = match[1]
		return nil
	})
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	p.must(err)
	req.Header.Set("Accept", accept)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	p.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	p.must(err)
	return string(body)
}

// takeLease has somebody else hold the controller's lease; freeLease lets go of it.
func (e *env) takeLease() {
	e.Helper()
	e.eventually("the lease is somebody else's", func() error {
		lease, err := e.kube.CoordinationV1().Leases(leases).Get(e.Context(), leaseName, metav1.GetOptions{})
		if err == nil {
			lease.Spec.HolderIdentity = ptr.To("somebody")
			_, err = e.kube.CoordinationV1().Leases(leases).Update(e.Context(), lease, metav1.UpdateOptions{})
		}
		return err
	})
}
