// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/program"
)

// copies adds a controller of one ConfigMap, which creates ConfigMaps of these names.
func copies(t *testing.T, names ...string) func(*controller.Manager) error {
	return func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		if err != nil {
			return err
		}
		source := fcache.NewFakeControllerSource()
		t.Cleanup(source.Broadcaster.Shutdown)
		source.Add(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "original"}})
		informer := cache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, cache.Indexers{})
		reconcile := func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
			for _, name := range names {
				cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
				if _, err := client.CoreV1().ConfigMaps("default").Create(ctx, cm, metav1.CreateOptions{}); err != nil {
					return controller.Result{}, err
				}
			}
			return controller.Result{}, nil
		}
		controller.New(m, "copies", controller.Standalone[*corev1.ConfigMap](informer, controller.InformerOptions{}),
			reconcile, controller.Options{})
		return nil
	}
}

func TestAPlanIsPrintedAndTheExitCodeSaysWhetherAnythingWouldChange(t *testing.T) {
	for name, c := range map[string]struct {
		creates []string
		status  int
		code    int
		prints  string
	}{
		"nothing":          {nil, http.StatusCreated, 0, "plan of 1 reconcile: nothing would change"},
		"an object":        {[]string{"a"}, http.StatusCreated, 2, "create configmaps default/a"},
		"something broken": {[]string{"a"}, http.StatusInternalServerError, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Query().Get("dryRun") != "All" {
					t.Errorf("%s is no dry run", r.URL)
				}
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write(body)
			}))
			defer server.Close()
			w := newWorld("-plan", "-health-addr=127.0.0.1:0")
			w.config.Host, w.config.ContentType = server.URL, "application/json"
			err := w.run(t.Context(), program.Options{}, copies(t, c.creates...))
			if code := program.ExitCode(err); code != c.code {
				t.Errorf("the exit code is %d, want %d: %v\n%s", code, c.code, err, &w.stdout)
			}
			if !strings.Contains(w.stdout.String(), c.prints) {
				t.Errorf("it prints\n%s", &w.stdout)
			}
		})
	}
}

func TestARunIsNotDryWithoutPlan(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	w := newWorld("-health-addr=")
	options := controller.ManagerOptions{DryRun: &controller.DryRun{}}
	if err := w.run(ctx, program.Options{Manager: options}, ends(stop)); err != nil {
		t.Error(err)
	}
}

func TestTheExitCodeOfAFailureIsOneAlsoIfItIsWrapped(t *testing.T) {
	for err, want := range map[error]int{nil: 0, errors.New("broken"): 1, fmt.Errorf("wrapped: %w", io.EOF): 1} {
		if got := program.ExitCode(err); got != want {
			t.Errorf("the exit code of %v is %d", err, got)
		}
	}
}
