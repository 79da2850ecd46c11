// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

func TestWhatOthersCouldReadIsAnErrorAtTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a page for all":               {[]string{"-page-addr=:8082"}, "others can reach it"},
		"on an address of the machine": {[]string{"-page-addr=10.0.0.1:8082"}, "others can reach it"},
		"profiles of no page":          {[]string{"-pprof"}, "-pprof has no effect without -page-addr"},
		"secure metrics of none":       {[]string{"-metrics-secure"}, "-metrics-secure has no effect without -metrics-addr"},
		"without a certificate":        {[]string{"-metrics-secure", "-metrics-addr=:1"}, "name its folder with -tls-cert-dir"},
		"without files":                {[]string{"-page-addr=:0", "-tls-cert-dir=/no/such"}, "/no/such/tls.crt: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			w := newWorld(append([]string{"-health-addr="}, c.args...)...)
			err := w.run(ctx, program.Options{Telemetry: &exporting{}}, func(*controller.Manager) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func TestThePageIsServedOnALoopbackAddress(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	w := newWorld("-health-addr=", "-page-addr=localhost:0", "-pprof")
	done := make(chan error, 1)
	go func() { done <- w.run(ctx, program.Options{}, func(*controller.Manager) error { return nil }) }()
	address := "http://" + w.awaitAddress(t, "page")
	for path, want := range map[string]string{
		"/": "<title>Lanyard</title>", "/page/snapshot": `{"name":"widget-operator","at":`, "/debug/pprof/": "goroutine",
	} {
		if got := get(t, address+path); !strings.Contains(got, want) {
			t.Errorf("%s is %q", path, got)
		}
	}
	foreign, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/page/snapshot", nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host = "elsewhere.example.com" // as a page of another origin has it, whose name means this address
	resp, err := http.DefaultClient.Do(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a request for another host is answered with %d", resp.StatusCode)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
