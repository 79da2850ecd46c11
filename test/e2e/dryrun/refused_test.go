// SPDX-License-Identifier: Apache-2.0

package dryrun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/events"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// TestC33WhatHasNoDryRunIsRefusedAndNamed, and nothing of it reaches the API server.
func TestC33WhatHasNoDryRunIsRefusedAndNamed(t *testing.T) {
	e := newEnv(t)
	e.fixtures()
	_, err := e.admin.CoreV1().ServiceAccounts(e.namespace).Create(e.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "account"}}, metav1.CreateOptions{})
	e.must(err)
	made := e.plan(controller.ManagerOptions{}, runtime.ContentTypeJSON, func(ctx context.Context, kube kubernetes.Interface, m *controller.Manager, parent *corev1.ConfigMap) error {
		exec := kube.CoreV1().RESTClient().Post().Namespace(parent.Namespace).Resource("pods").Name("evicted").SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{Command: []string{"rm"}, Stdout: true}, scheme.ParameterCodec)
		for name, newExecutor := range map[string]func() (remotecommand.Executor, error){
			"SPDY": func() (remotecommand.Executor, error) {
				return remotecommand.NewSPDYExecutor(m.Config(), "POST", exec.URL())
			},
			"WebSockets": func() (remotecommand.Executor, error) {
				return remotecommand.NewWebSocketExecutor(m.Config(), "GET", exec.URL().String())
			},
		} {
			executor, err := newExecutor()
			if err != nil {
				return err
			}
			if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: io.Discard}); err == nil || !strings.Contains(err.Error(), plan.ErrRefused.Error()) {
				t.Errorf("%s: %v", name, err) // client-go's SPDY executor does not wrap it
			}
		}
		proxied := kube.CoreV1().Pods(parent.Namespace).ProxyGet("http", "evicted", "80", "/restart", nil).(*rest.Request)
		if err := proxied.Do(ctx).Error(); !errors.Is(err, plan.ErrRefused) {
			t.Errorf("proxy: %v", err)
		}
		_, err := kube.CoreV1().ServiceAccounts(parent.Namespace).CreateToken(ctx, "account", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		return fmt.Errorf("cannot go on: %w", err)
	})
	if !made.Unchanged() {
		t.Errorf("it would change something:\n%s", made)
	}
	want := map[string]bool{"pods/exec": true, "pods/proxy": true, "serviceaccounts/token": true}
	for _, failure := range made.Failures {
		delete(want, failure.Object.Resource+"/"+failure.Object.Subresource)
		if !errors.Is(failure.Err, plan.ErrRefused) || failure.Author.Controller != "parent" {
			t.Errorf("%+v", failure)
		}
		if token := failure.Object.Subresource == "token"; token != strings.HasPrefix(failure.Err.Error(), "cannot go on") {
			t.Errorf("%+v is not the reconcile's error", failure)
		}
	}
	if len(want) > 0 || len(made.Failures) > 4 {
		t.Errorf("missing: %v, of\n%s", want, made)
	}
	e.wantWrites()
}

// TestC33ReviewsAreAskedAndEventsAreNotKept: neither is part of the plan.
func TestC33ReviewsAreAskedAndEventsAreNotKept(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	made := e.plan(controller.ManagerOptions{}, runtime.ContentTypeProtobuf, func(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
		recorder := events.NewRecorder(kube.EventsV1(), scheme.Scheme, "example.com/test", "test")
		for range 2 { // the second is a repeat
			recorder.Eventf(ctx, parent, nil, corev1.EventTypeNormal, "Reason", "Action", "note")
		}
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: "pods"},
		}}
		answer, err := kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err == nil && !answer.Status.Allowed {
			err = errors.New("not allowed")
		}
		return err
	})
	e.wantText(made, "plan of 1 reconcile: nothing would change")
	left, err := e.admin.EventsV1().Events(e.namespace).List(e.Context(), metav1.ListOptions{})
	e.must(err)
	if len(left.Items) > 0 {
		t.Errorf("there are events: %+v", left.Items)
	}
}

// TestC33AWebhookWithSideEffectsIsNamed. Kubernetes has not accepted such webhooks since 1.22, but goes by
// those that it has; so this one is put into etcd.
func TestC33AWebhookWithSideEffectsIsNamed(t *testing.T) {
	e := newEnv(t)
	e.parent("parent")
	e.admitWithSideEffects("side.effects.example.com")
	for _, content := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		made := e.plan(controller.ManagerOptions{}, content, func(ctx context.Context, kube kubernetes.Interface, _ *controller.Manager, parent *corev1.ConfigMap) error {
			_, err := kube.CoreV1().Secrets(parent.Namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
			return err
		})
		if len(made.Failures) != 1 || made.Failures[0].Webhook != "side.effects.example.com" || made.Failures[0].Object.Resource != "secrets" || !made.Unchanged() {
			t.Errorf("%s: %+v", content, made)
		}
	}
}

// admitWithSideEffects makes the API server ask a webhook with side effects about Secrets of the namespace.
func (e *env) admitWithSideEffects(name string) {
	e.Helper()
	key := "/registry/validatingwebhookconfigurations/" + e.namespace
	hook := map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
		"metadata": map[string]any{"name": e.namespace, "uid": "0b5d3f0e-0000-4000-8000-000000000000", "creationTimestamp": "2026-01-01T00:00:00Z"},
		"webhooks": []any{map[string]any{
			"name": name, "sideEffects": "Some", "admissionReviewVersions": []string{"v1"}, "failurePolicy": "Ignore", "matchPolicy": "Equivalent",
			"clientConfig":      map[string]any{"url": "https://127.0.0.1:1/unused"},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": e.namespace}},
			"objectSelector":    map[string]any{}, "timeoutSeconds": 1,
			"rules": []any{map[string]any{"apiGroups": []string{""}, "apiVersions": []string{"v1"}, "operations": []string{"CREATE"}, "resources": []string{"secrets"}, "scope": "*"}},
		}},
	}
	value, err := json.Marshal(hook)
	e.must(err)
	e.etcd("/v3/kv/put", map[string]any{"key": []byte(key), "value": value})
	e.Cleanup(func() { e.etcd("/v3/kv/deleterange", map[string]any{"key": []byte(key)}) })
	suite.Eventually(e.T, "the webhook is there", func() error {
		_, err := e.admin.CoreV1().Secrets(e.namespace).Create(e.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x"}},
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil || !strings.Contains(err.Error(), name) {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	})
}

var etcdAddress = regexp.MustCompile(`serving client traffic insecurely[^\n]*"address":"([^"]+)"`)

// etcd calls the gateway of the API server's etcd.
func (e *env) etcd(path string, request map[string]any) {
	e.Helper()
	log, err := os.ReadFile(filepath.Join(plane.Dir(), "etcd.log"))
	e.must(err)
	found := etcdAddress.FindSubmatch(log)
	if found == nil {
		e.Fatalf("etcd does not say where it serves:\n%.2000s", log)
	}
	body, err := json.Marshal(request) // bytes are base64, as the gateway takes them
	e.must(err)
	ctx := context.WithoutCancel(e.Context()) // the test's ends before its clean-up
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+string(found[1])+path, bytes.NewReader(body))
	e.must(err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	e.must(err)
	answer, err := io.ReadAll(resp.Body)
	e.must(errors.Join(err, resp.Body.Close()))
	if resp.StatusCode != http.StatusOK {
		e.Fatalf("etcd answered %s: %s", resp.Status, answer)
	}
}
