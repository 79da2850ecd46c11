// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// The caches get this long to fill, where that is what fails; soon is how long the end may take then.
const (
	syncTimeout = "2s"
	soon        = 7 * time.Second
)

var aCache = regexp.MustCompile(`failed to list \S+`)

// wantOneError runs the sample controller and looks at its end as someone would who starts it for the
// first time: one line says what is wrong and what to do, and nothing else is in its way.
func wantOneError(t *testing.T, args, want []string) {
	t.Helper()
	p := start(t, append([]string{"-health-addr=127.0.0.1:0", "-sync-timeout=" + syncTimeout}, args...)...)
	status, took := p.exit(soon)
	if status != 1 {
		t.Errorf("the exit status is %d, want 1", status)
	}
	lines := strings.Split(strings.TrimSuffix(p.output.String(), "\n"), "\n")
	last := lines[len(lines)-1]
	t.Logf("after %v: %s", took.Round(time.Millisecond), last)
	if !strings.HasPrefix(last, "flunder-controller: ") {
		t.Errorf("the last line does not begin with flunder-controller: %q", last)
	}
	for _, text := range want {
		if !strings.Contains(last, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if misleading := "KUBERNETES_MASTER"; strings.Contains(last, misleading) {
		t.Errorf("it says %q, which only the scripts of Kubernetes itself use", misleading)
	}
	seen := map[string]bool{}
	for _, cache := range aCache.FindAllString(last, -1) {
		if seen[cache] {
			t.Errorf("it says %q more than once", cache)
		}
		seen[cache] = true
	}
	for _, line := range lines[:len(lines)-1] {
		stamp := infoLine.FindString(line)
		if stamp == "" {
			t.Errorf("besides the error there is more than information: %q", line)
		}
		if text := line[len(stamp):]; seen[text] {
			t.Errorf("repeated: %q", text)
		} else {
			seen[text] = true
		}
	}
}

func TestWrongFlagsAreOneClearError(t *testing.T) {
	good := kubeconfig(t, account(t))
	garbage, empty := filepath.Join(t.TempDir(), "garbage"), filepath.Join(t.TempDir(), "empty")
	for path, content := range map[string]string{garbage: "}{ not yaml", empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ args, want []string }{
		"an unknown flag":              {[]string{"-no-such-flag"}, []string{"-no-such-flag", "-help lists the flags"}},
		"an argument":                  {[]string{"start"}, []string{`unknown argument "start"`, "-help lists the flags"}},
		"an unknown log format":        {[]string{"-log-format=xml"}, []string{`unknown log format "xml"`, "use text or json"}},
		"a negative number of workers": {[]string{"-kubeconfig=" + good, "-workers=-1"}, []string{"-workers=-1", "at least one"}},
		"no workers":                   {[]string{"-kubeconfig=" + good, "-workers=0"}, []string{"-workers=0", "at least one"}},
		"no such kubeconfig":           {[]string{"-kubeconfig=/no/such/file"}, []string{"read the kubeconfig", "no such file", "(-kubeconfig names another)"}},
		"a kubeconfig of garbage":      {[]string{"-kubeconfig=" + garbage}, []string{"read the kubeconfig", garbage, "yaml", "(-kubeconfig names another)"}},
		"an empty kubeconfig":          {[]string{"-kubeconfig=" + empty}, []string{"read the kubeconfig", empty, "names no cluster", "(-kubeconfig names another)"}},
		"a lease of no whole seconds":  {elect(good, "-leader-elect-lease-duration=20500ms"), []string{"LeaseDuration is 20.5s", "whole seconds only"}},
		"a renew deadline beyond it":   {elect(good, "-leader-elect-renew-deadline=14s"), []string{"RenewDeadline is 14s, but a term is over after 13.5s"}},
		"no time for a second try":     {elect(good, "-leader-elect-retry-period=9s"), []string{"no second try with a RetryPeriod of 9s"}},
		"a lease that cannot be named": {elect(good, "-leader-elect-name=A_B"), []string{`"A_B" cannot be the Name of a Lease`}},
		"a lease in no namespace":      {[]string{"-kubeconfig=" + good, "-leader-elect"}, []string{"name the Namespace of the Lease"}},
		"no kubeconfig at all":         {nil, []string{"neither KUBECONFIG nor ~/.kube/config", "(-kubeconfig names another)"}},
	} {
		t.Run(name, func(t *testing.T) { wantOneError(t, c.args, c.want) })
	}
}

func elect(kubeconfig string, more ...string) []string {
	return append([]string{"-kubeconfig=" + kubeconfig, "-leader-elect", "-leader-elect-namespace=" + system}, more...)
}

func TestAHealthAddressInUseIsOneClearError(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	wantOneError(t, []string{"-kubeconfig=" + kubeconfig(t, account(t)), "-health-addr=" + address},
		[]string{"serve health on " + address, "address already in use", "-health-addr names another"})
}

func TestAnAPIServerThatIsDownIsOneClearError(t *testing.T) {
	config := account(t)
	config.Host = "https://" + closedPort(t)
	wantOneError(t, []string{"-kubeconfig=" + kubeconfig(t, config)},
		[]string{"not filled within " + syncTimeout, "failed to list *v1beta1.Flunder:", "failed to list *v1.Deployment:", "is the API server up"})
}

func TestAMissingDefinitionIsOneClearError(t *testing.T) {
	bare, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bare.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	wantOneError(t, []string{"-kubeconfig=" + kubeconfig(t, bare.Config())},
		[]string{"not filled within " + syncTimeout, "flunders.wardle.example.com", "CustomResourceDefinition"})
}

func TestMissingPermissionsAreOneClearErrorThatNamesThem(t *testing.T) {
	accounts := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().ServiceAccounts("default")
	nobody := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	if _, err := accounts.Create(t.Context(), nobody, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := plane.ServiceAccountConfig(t.Context(), "default", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	wantOneError(t, []string{"-kubeconfig=" + kubeconfig(t, config)}, []string{
		`cannot list resource "flunders" in API group "wardle.example.com"`,
		`cannot list resource "deployments" in API group "apps"`,
		"grant list and watch",
	})
}

func TestAnInvalidTokenIsOneClearError(t *testing.T) {
	config := account(t)
	config = &rest.Config{Host: config.Host, BearerToken: "wrong", TLSClientConfig: config.TLSClientConfig}
	wantOneError(t, []string{"-kubeconfig=" + kubeconfig(t, config)},
		[]string{"not filled within " + syncTimeout, "failed to list *v1beta1.Flunder:", "failed to list *v1.Deployment:", "the service account's token"})
}

func TestAForbiddenLeaseIsOneClearErrorThatNamesWhatToGrant(t *testing.T) {
	kube := kubernetes.NewForConfigOrDie(plane.Config())
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "no-leases"}}
	if _, err := kube.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "no-leases"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "flunder-controller"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "no-leases"}},
	}
	if _, err := kube.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := plane.ServiceAccountConfig(t.Context(), "default", "no-leases")
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, append(elect(kubeconfig(t, config)), "-health-addr=127.0.0.1:0")...)
	if status, _ := p.exit(time.Minute); status != 1 {
		t.Errorf("the exit status is %d, want 1", status)
	}
	lines := strings.Split(strings.TrimSuffix(p.output.String(), "\n"), "\n")
	last := lines[len(lines)-1]
	for _, text := range []string{"flunder-controller: get the lease " + system + "/sample-controller", "forbidden", "grant get, create, update, list and watch on it"} {
		if !strings.Contains(last, text) {
			t.Errorf("the last line does not say %q: %s", text, last)
		}
	}
}

// closedPort is an address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
