// SPDX-License-Identifier: Apache-2.0

// Package schedule runs Jobs at the times of CronJobs, by the rules of Kubernetes' own CronJobs: it
// keeps to concurrencyPolicy, startingDeadlineSeconds and the limits of the history, and of several
// times that were missed it makes up for the last one. It is an example of a schedule.
//
// It is for CronJobs with the annotation [Annotation] that are suspended: Kubernetes leaves these alone.
package schedule

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	batchac "k8s.io/client-go/applyconfigurations/batch/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	batchclient "k8s.io/client-go/kubernetes/typed/batch/v1"
	batchlisters "k8s.io/client-go/listers/batch/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
)

const (
	// Annotation is the annotation of the CronJobs that the controller runs; its value is "true".
	Annotation = "schedule.example.com/run"

	fieldManager = "schedule-example"
)

type reconciler struct {
	client batchclient.BatchV1Interface
	jobs   batchlisters.JobLister
}

// SetUp adds the controller to a manager. client is made from the manager's configuration.
func SetUp(m *controller.Manager, client kubernetes.Interface) *controller.Controller[*batchv1.CronJob] {
	factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
	jobs := factory.Batch().V1().Jobs()
	r := &reconciler{client: client.BatchV1(), jobs: jobs.Lister()}
	c := controller.New(m, "schedule", factory.Batch().V1().CronJobs().TypedInformer(), r.reconcile, controller.Options{})
	controller.Owns(c, jobs.TypedInformer())
	return c
}

// reconcile removes finished Jobs that are too many, starts the Job whose time has come, and asks to be
// called at the next time.
func (r *reconciler) reconcile(ctx context.Context, cronJob *batchv1.CronJob) (controller.Result, error) {
	if !isOurs(cronJob) {
		return controller.Result{}, nil
	}
	of, err := r.jobsOf(cronJob)
	if err != nil {
		return controller.Result{}, err
	}
	surplus := slices.Concat(
		beyond(cronJob.Spec.SuccessfulJobsHistoryLimit, of.complete),
		beyond(cronJob.Spec.FailedJobsHistoryLimit, of.failed))
	if err := r.removeAll(ctx, surplus); err != nil {
		return controller.Result{}, err
	}
	due, next, err := times(cronJob, time.Now())
	if err != nil {
		// Only an edit can mend it.
		return controller.Result{}, controller.TerminalError(fmt.Errorf("schedule of %s: %w", cronJob.Name, err))
	}
	if !due.IsZero() {
		if err := r.start(ctx, cronJob, &of, due); err != nil {
			return controller.Result{}, err // tried again soon: a Result would put it off until the next time
		}
	}
	return controller.Result{RequeueAt: next}, nil
}

// isOurs reports whether a CronJob has the annotation. One that is not suspended is left alone, because
// Kubernetes runs it.
func isOurs(cronJob *batchv1.CronJob) bool {
	return cronJob.Annotations[Annotation] == "true" && cronJob.DeletionTimestamp == nil &&
		ptr.Deref(cronJob.Spec.Suspend, false)
}

// start starts the Job for a time as the concurrencyPolicy has it.
func (r *reconciler) start(ctx context.Context, cronJob *batchv1.CronJob, of *jobs, due time.Time) error {
	// Jobs and CronJobs come by different watches. The Job for this time may be in the cache although the
	// CronJob in the cache does not say yet that it was started.
	if of.include(nameFor(cronJob, due)) {
		return r.note(ctx, cronJob, due)
	}
	switch {
	case len(of.active) > 0 && cronJob.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent:
		return nil // the end of the Job is an event, and the time is still due then
	case cronJob.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent:
		if err := r.removeAll(ctx, of.active); err != nil {
			return err
		}
	}
	if err := r.create(ctx, cronJob, due); err != nil {
		return err
	}
	return r.note(ctx, cronJob, due)
}

// note writes the time for which a Job was started, after it was.
func (r *reconciler) note(ctx context.Context, cronJob *batchv1.CronJob, due time.Time) error {
	desired := batchac.CronJob(cronJob.Name, cronJob.Namespace).WithUID(cronJob.UID).
		WithStatus(batchac.CronJobStatus().WithLastScheduleTime(metav1.NewTime(due)))
	_, err := r.client.CronJobs(cronJob.Namespace).ApplyStatus(ctx, desired,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("note the time of the last Job: %w", err)
	}
	return nil
}
