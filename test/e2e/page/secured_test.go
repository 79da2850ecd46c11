// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/output"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// planted is in Secrets, and must be in no answer.
const planted = "pl4nted-c0ntent"

// metrics is a telemetry that has metrics to serve.
type metrics struct{}

func (metrics) AddFlags(*flag.FlagSet)       {}
func (metrics) Validate(*flag.FlagSet) error { return nil }
func (metrics) Start(context.Context, program.Service) (program.Exports, error) {
	return program.Exports{Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "up 1\n") })}, nil
}

// running is a program that reconciles the Secrets of a namespace of its own.
type running struct {
	log       output.Buffer
	namespace string
	done      chan error
}

func start(t *testing.T, config *rest.Config, options program.Options, args ...string) *running {
	t.Helper()
	r := &running{namespace: suite.Namespace(t, plane, options.Name+"-"), done: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	process := program.Process{
		Args:   append([]string{"-health-addr="}, args...),
		Stderr: &r.log, LoadConfig: func(string) (*rest.Config, error) { return rest.CopyConfig(config), nil },
	}
	go func() {
		r.done <- program.Run(ctx, options, process, func(m *controller.Manager) error { return secrets(m, r.namespace) })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-r.done; err != nil {
			t.Logf("the program returned: %v", err)
		}
	})
	return r
}

// secured is a program that serves its metrics and its page with TLS, to whoever may read them.
type secured struct {
	*running
	client *http.Client
}

func startSecured(t *testing.T, config *rest.Config) *secured {
	t.Helper()
	dir := t.TempDir()
	chain, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "tls.crt"), chain, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "tls.key"), key, 0o600))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, DisableKeepAlives: true}
	return &secured{
		running: start(t, config, program.Options{Name: "secured", Telemetry: metrics{}},
			"-tls-cert-dir="+dir, "-metrics-addr=127.0.0.1:0", "-metrics-secure", "-page-addr=:0", "-pprof"),
		client: &http.Client{Transport: transport},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// address waits until the log says where something is served.
func (r *running) address(t *testing.T, name string) (port string) {
	t.Helper()
	line := regexp.MustCompile(`"Serving ` + name + `" address="\S+:(\d+)"`)
	suite.Eventually(t, name+" is served", func() error {
		if match := line.FindStringSubmatch(r.log.String()); match != nil {
			port = match[1]
			return nil
		}
		return fmt.Errorf("the log: %s", r.log.String())
	})
	return "127.0.0.1:" + port
}

func (s *secured) get(t *testing.T, address, path, token string) (code int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+path, http.NoBody)
	must(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := s.client.Do(request)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	must(t, err)
	if strings.Contains(string(content), planted) || strings.Contains(string(content), "cGw0bnRlZC1jMG50ZW50") {
		t.Errorf("%s has the content of a Secret: %s", path, content)
	}
	return answer.StatusCode, string(content)
}

// account makes a service account that may get some paths, and returns a token of it.
func account(t *testing.T, namespace, name string, paths ...string) string {
	t.Helper()
	client := kubernetes.NewForConfigOrDie(plane.Config())
	_, err := client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	must(t, err)
	if len(paths) > 0 {
		grant(t, namespace, name, rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: paths})
	}
	config, err := plane.ServiceAccountConfig(t.Context(), namespace, name)
	must(t, err)
	return config.BearerToken
}

func grant(t *testing.T, namespace, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	client := kubernetes.NewForConfigOrDie(plane.Config())
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: namespace + "-" + name}, Rules: rules}
	_, err := client.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	must(t, err)
	_, err = client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{})
	must(t, err)
}

func TestOnlyWhoMayReadsWhatAProgramServes(t *testing.T) {
	s := startSecured(t, plane.Config())
	_, err := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().Secrets(s.namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "credentials"}, Data: map[string][]byte{"password": []byte(planted)},
	}, metav1.CreateOptions{})
	must(t, err)
	addresses := map[string]string{"metrics": s.address(t, "metrics"), "page": s.address(t, "page")}
	other := account(t, s.namespace, "other")
	scraper := account(t, s.namespace, "scraper", "/metrics")
	viewer := account(t, s.namespace, "viewer", "/page/*")
	story := "/page/stories?namespace=" + s.namespace + "&name=credentials"
	suite.Eventually(t, "the permissions are known, and the Secret was reconciled", func() error {
		code, body := s.get(t, addresses["page"], story, viewer)
		if code != http.StatusOK || !strings.Contains(body, "an error of the program, *page_test.badContent") {
			return fmt.Errorf("%d %s", code, body)
		}
		if code, body := s.get(t, addresses["metrics"], "/metrics", scraper); code != http.StatusOK {
			return fmt.Errorf("%d %s", code, body)
		}
		return nil
	})
	for _, test := range []struct {
		server, path, token string
		want                int
	}{
		{"metrics", "/metrics", "", 401}, {"page", "/page/", "", 401}, {"page", "/", "", 401},
		{"metrics", "/metrics", "made up", 401}, {"page", "/page/snapshot", "made up", 401},
		{"metrics", "/metrics", other, 403}, {"metrics", "/metrics", viewer, 403},
		{"page", "/page/snapshot", other, 403}, {"page", "/page/snapshot", scraper, 403},
		{"page", "/debug/pprof/heap", viewer, 403}, {"page", "/page/../debug/pprof/heap", viewer, 403},
		{"metrics", "/metrics", scraper, 200}, {"page", "/page/", viewer, 200}, {"page", "/page/snapshot", viewer, 200},
		{"page", "/page/save", viewer, 200}, {"page", story + "&format=text", viewer, 200},
	} {
		if code, body := s.get(t, addresses[test.server], test.path, test.token); code != test.want {
			t.Errorf("%s of %s: %d, want %d: %s", test.path, test.server, code, test.want, body)
		}
	}
	if code, body := s.get(t, addresses["page"], story, viewer); code != 200 || !strings.Contains(body, "create secrets credentials-copy") {
		t.Errorf("the story: %d %s", code, body)
	}
}

func TestAProgramThatMayNotAskWhoMayReadFailsAtTheStart(t *testing.T) {
	namespace := suite.Namespace(t, plane, "refused-")
	account(t, namespace, "program")
	grant(t, namespace, "program", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"*"}})
	config, err := plane.ServiceAccountConfig(t.Context(), namespace, "program")
	must(t, err)
	s := startSecured(t, config)
	err = <-s.done
	s.done <- err
	if err == nil || !strings.Contains(err.Error(), "system:auth-delegator") || !strings.Contains(err.Error(), "tokenreviews") {
		t.Errorf("the error is %v", err)
	}
}
