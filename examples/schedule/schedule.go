// SPDX-License-Identifier: Apache-2.0

// Package schedule runs Jobs at the times of CronJobs, by the rules of Kubernetes' own CronJobs: it
// keeps to concurrencyPolicy and startingDeadlineSeconds, and of several times that were missed it
// makes up for the last one. It is an example of a schedule.
//
// It is for CronJobs with the annotation [Annotation] that are suspended: Kubernetes leaves these alone.
package schedule

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
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

// reconcile starts the Job whose time has come, and asks to be called at the next time.
func (r *reconciler) reconcile(ctx context.Context, cronJob *batchv1.CronJob) (controller.Result, error) {
	if cronJob.Annotations[Annotation] != "true" || cronJob.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	now := time.Now()
	due, next, err := times(cronJob, now)
	if err != nil {
		// Only an edit can mend it.
		return controller.Result{}, controller.TerminalError(fmt.Errorf("schedule of %s: %w", cronJob.Name, err))
	}
	result := controller.Result{RequeueAt: next}
	if due.IsZero() {
		return result, nil
	}
	active, err := r.active(cronJob)
	if err != nil {
		return controller.Result{}, err
	}
	switch {
	case len(active) > 0 && cronJob.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent:
		return result, nil // the end of the Job is an event, and the time is still due then
	case cronJob.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent:
		for _, job := range active {
			if err := r.remove(ctx, job); err != nil {
				return controller.Result{}, err
			}
		}
	}
	if err := r.start(ctx, cronJob, due); err != nil {
		return controller.Result{}, err
	}
	return result, r.note(ctx, cronJob, due)
}

// active returns the Jobs of a CronJob that have not finished.
func (r *reconciler) active(cronJob *batchv1.CronJob) (active []*batchv1.Job, err error) {
	all, err := r.jobs.Jobs(cronJob.Namespace).List(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, job := range all {
		if metav1.IsControlledBy(job, cronJob) && !finished(job) && job.DeletionTimestamp == nil {
			active = append(active, job)
		}
	}
	return active, nil
}

func finished(job *batchv1.Job) bool {
	for _, condition := range job.Status.Conditions {
		if condition.Status == corev1.ConditionTrue &&
			(condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return true
		}
	}
	return false
}

func (r *reconciler) remove(ctx context.Context, job *batchv1.Job) error {
	err := r.client.Jobs(job.Namespace).Delete(ctx, job.Name, metav1.DeleteOptions{
		Preconditions:     metav1.NewUIDPreconditions(string(job.UID)),
		PropagationPolicy: ptr.To(metav1.DeletePropagationBackground),
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// start creates the Job for a time. Its name is made from the time, so that a time that was cancelled
// half way does not get two.
func (r *reconciler) start(ctx context.Context, cronJob *batchv1.CronJob, due time.Time) error {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cronJob.Namespace, Name: fmt.Sprintf("%s-%d", cronJob.Name, due.Unix()/60),
			Labels: cronJob.Spec.JobTemplate.Labels, Annotations: cronJob.Spec.JobTemplate.Annotations,
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob")),
			},
		},
		Spec: cronJob.Spec.JobTemplate.Spec,
	}
	_, err := r.client.Jobs(job.Namespace).Create(ctx, job, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// note writes the time for which a Job was started, after it was.
func (r *reconciler) note(ctx context.Context, cronJob *batchv1.CronJob, due time.Time) error {
	desired := batchac.CronJob(cronJob.Name, cronJob.Namespace).WithUID(cronJob.UID).
		WithStatus(batchac.CronJobStatus().WithLastScheduleTime(metav1.NewTime(due)))
	_, err := r.client.CronJobs(cronJob.Namespace).ApplyStatus(ctx, desired,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}
