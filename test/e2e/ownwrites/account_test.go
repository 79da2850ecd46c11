// SPDX-License-Identifier: Apache-2.0

package ownwrites_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/suite"
)

// rows returns what is the same at each run: verb, resource, attempts, and the three effects.
func rows(account report.Account) map[string][4]int {
	found := map[string][4]int{}
	for _, c := range account.Calls {
		found[c.Verb+" "+c.Resource] = [4]int{c.Attempts, c.Changed, c.WithoutEffect, c.Unknown}
	}
	return found
}

// TestC20AReconcileHasAnAccountOfItsCallsAndOfWhatItsWritesChanged writes objects that a cache has, one that
// none has, and the same ones again.
func TestC20AReconcileHasAnAccountOfItsCallsAndOfWhatItsWritesChanged(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	p := newProgramWith(t, nil, controller.ManagerOptions{
		Telemetry: controller.Telemetry{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))},
	})
	accounts := make(chan report.Account, 1)
	controller.New(p.Manager, "accounted", p.factory.Core().V1().ConfigMaps().TypedInformer(),
		func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
			if cm.Labels["parent"] == "" || len(accounts) > 0 {
				return controller.Result{}, nil
			}
			err := p.writeTwice(ctx, cm)
			account, ok := controller.AccountFrom(ctx)
			if !ok {
				err = errors.New("a reconcile has no account")
			}
			accounts <- account
			return controller.Result{}, err
		}, controller.Options{})
	p.parent(t)
	p.start(t)
	account := <-accounts

	want := map[string][4]int{
		"create secrets":    {1, 1, 0, 0},
		"get secrets":       {1, 0, 0, 0},
		"patch secrets":     {2, 1, 1, 0},
		"update configmaps": {1, 0, 1, 0},
		"patch configmaps":  {1, 0, 1, 0},
		"apply configmaps":  {2, 1, 1, 0},
		"delete secrets":    {1, 1, 0, 0},
	}
	if diff := cmp.Diff(want, rows(account)); diff != "" {
		t.Error(diff)
	}
	for _, c := range account.Calls {
		if c.Received == 0 || c.OnWire <= 0 || c.Sent == 0 && c.Verb != "get" {
			t.Errorf("%s: bytes and time on the wire are missing", c)
		}
	}
	if line := account.String(); !strings.Contains(line, "2 × patch secrets (1 without effect, ") {
		t.Error(line)
	}

	calls := map[string]int64{"patch secrets": 2, "apply configmaps": 2, "get secrets": 1}
	suite.Eventually(t, "the account is measured", func() error {
		got := sums(t, reader, "lanyard.reconcile.calls")
		for key, n := range calls {
			if got["accounted "+key] != n {
				return fmt.Errorf("%s: %v", key, got)
			}
		}
		return nil
	})
	without := map[string]int64{"accounted secrets": 1, "accounted configmaps": 3}
	if got := sums(t, reader, "lanyard.reconcile.writes.without_effect"); !maps.Equal(got, without) {
		t.Errorf("without effect: %v", got)
	}
	bytes := sums(t, reader, "lanyard.reconcile.bytes")
	if total := account.Total(); bytes["accounted sent"] != total.Sent || bytes["accounted received"] != total.Received {
		t.Errorf("%v, want %d sent and %d received", bytes, total.Sent, total.Received)
	}
}

// writeTwice makes the calls that the test counts.
func (p *program) writeTwice(ctx context.Context, cm *corev1.ConfigMap) error {
	maps, secrets := p.client.CoreV1().ConfigMaps(p.namespace), p.client.CoreV1().Secrets(p.namespace)
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	_, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}}, metav1.CreateOptions{})
	note(err)
	for range 2 { // no cache has it
		_, err = secrets.Patch(ctx, "s", types.MergePatchType, []byte(`{"stringData":{"a":"b"}}`), metav1.PatchOptions{})
		note(err)
	}
	_, err = secrets.Get(ctx, "s", metav1.GetOptions{})
	note(err)
	note(secrets.Delete(ctx, "s", metav1.DeleteOptions{}))
	_, err = maps.Update(ctx, cm, metav1.UpdateOptions{}) // as it is
	note(err)
	_, err = maps.Patch(ctx, cm.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"parent":"true"}}}`), metav1.PatchOptions{})
	note(err)
	for range 2 { // the cache may not show the first
		_, err = maps.Apply(ctx, corev1apply.ConfigMap(cm.Name, p.namespace).WithData(map[string]string{"x": "y"}),
			metav1.ApplyOptions{FieldManager: "test"})
		note(err)
	}
	return errors.Join(errs...)
}

// sums returns what a counter says, by the values of its labels.
func sums(t *testing.T, reader sdkmetric.Reader, name string) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if data, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
				for _, point := range data.DataPoints {
					found[values(point.Attributes.ToSlice(), "controller", "verb", "resource", "direction")] = point.Value
				}
			}
		}
	}
	return found
}

func values(labels []attribute.KeyValue, names ...string) string {
	var found []string
	for _, name := range names {
		i := slices.IndexFunc(labels, func(l attribute.KeyValue) bool { return string(l.Key) == name })
		if i >= 0 {
			found = append(found, labels[i].Value.AsString())
		}
	}
	return strings.Join(found, " ")
}
