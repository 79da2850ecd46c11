// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"context"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/schedule"
	"github.com/lanyard-k8s/lanyard/test/faulttest"
)

// TestFaults has a CronJob whose last Job was started two years ago, so that one is due.
func TestFaults(t *testing.T) {
	yearly := cronJob("", func(c *batchv1.CronJob) {
		c.UID, c.CreationTimestamp = "", metav1.Time{}
		c.Spec.Schedule = "0 0 1 1 *"
	})
	suite.Faults(t, faulttest.Program{
		Objects: []runtime.Object{yearly},
		SetUp: func(ctx context.Context, config *rest.Config, namespace string) error {
			jobs := kubernetes.NewForConfigOrDie(config).BatchV1().CronJobs(namespace)
			made, err := jobs.Get(ctx, yearly.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			last := metav1.NewTime(time.Now().AddDate(-2, 0, 0))
			made.Status.LastScheduleTime = &last
			_, err = jobs.UpdateStatus(ctx, made, metav1.UpdateOptions{})
			return err
		},
	}, func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		if err != nil {
			return err
		}
		schedule.SetUp(m, client)
		return nil
	})
}
