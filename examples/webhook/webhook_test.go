// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/webhook"
)

func TestMain(m *testing.M) {
	crlog.SetLogger(klog.Background())
	suite.Main(m)
}

// serve runs the webhook, and has the API server call it.
func serve(e *suite.Env) *suite.Operator {
	e.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	e.Must(err)
	dir := e.TempDir()
	e.Must(os.WriteFile(filepath.Join(dir, "tls.crt"), certificate, 0o600))
	e.Must(os.WriteFile(filepath.Join(dir, "tls.key"), key, 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	e.Must(err)
	port := listener.Addr().(*net.TCPAddr).Port
	e.Must(listener.Close())

	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error {
		return webhook.SetUp(m, crwebhook.Options{Host: "127.0.0.1", Port: port, CertDir: dir})
	})
	e.Apply("config/webhook.yaml", func(configuration *unstructured.Unstructured) {
		hooks, _, err := unstructured.NestedSlice(configuration.Object, "webhooks")
		e.Must(err)
		hooks[0].(map[string]any)["clientConfig"] = map[string]any{
			"url":      fmt.Sprintf("https://127.0.0.1:%d%s", port, webhook.Path),
			"caBundle": base64.StdEncoding.EncodeToString(certificate),
		}
		e.Must(unstructured.SetNestedSlice(configuration.Object, hooks, "webhooks"))
	})
	return operator
}

func createAccount(e *suite.Env, name string) {
	e.Helper()
	_, err := e.Kube.CoreV1().ServiceAccounts(e.Namespace).Create(e.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	e.Must(err)
}

// createUser makes a Deployment whose pods have an account.
func createUser(e *suite.Env, name, account string) {
	e.Helper()
	labels := map[string]string{"app": name}
	_, err := e.Kube.AppsV1().Deployments(e.Namespace).Create(e.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{ServiceAccountName: account, Containers: []corev1.Container{
					{Name: "app", Image: "registry.example.com/app:1"},
				}},
			},
		},
	}, metav1.CreateOptions{})
	e.Must(err)
}

// deletion returns whether the API server would delete an account.
func deletion(e *suite.Env, name string) error {
	return e.Kube.CoreV1().ServiceAccounts(e.Namespace).Delete(e.Context(), name,
		metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}})
}

// awaitRefusal waits until an account is not deleted because of a Deployment: a webhook's configuration
// becomes effective some moments after it was written.
func awaitRefusal(e *suite.Env, account, deployment string) {
	e.Helper()
	e.Eventually("the deletion is refused", func() bool {
		err := deletion(e, account)
		return err != nil && strings.Contains(err.Error(), "the Deployment "+deployment+" uses it: delete that first")
	})
}

func TestAnAccountThatADeploymentUsesIsNotDeleted(t *testing.T) {
	e := suite.New(t, nil)
	createAccount(e, "used")
	createAccount(e, "unused")
	createUser(e, "shop", "used")
	operator := serve(e)

	awaitRefusal(e, "used", "shop")
	e.Must(deletion(e, "unused"))
	e.Must(e.Kube.AppsV1().Deployments(e.Namespace).Delete(t.Context(), "shop", metav1.DeleteOptions{}))
	e.Eventually("it can be deleted without its user", func() bool { return deletion(e, "used") == nil })
	operator.Stop() // fails the test if a connection of the API server delays it
}

func TestWithoutTheWebhookNoAccountIsDeleted(t *testing.T) {
	e := suite.New(t, nil)
	createAccount(e, "used")
	createAccount(e, "unused")
	createUser(e, "shop", "used")
	operator := serve(e)
	awaitRefusal(e, "used", "shop")
	operator.Stop()
	if err := deletion(e, "unused"); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("the deletion returned %v", err)
	}
}
