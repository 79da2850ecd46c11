// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// jobs is the Jobs of a CronJob.
type jobs struct {
	active, complete, failed []*batchv1.Job
}

// jobsOf returns the Jobs of a CronJob that are in the cache and are not being deleted.
func (r *reconciler) jobsOf(cronJob *batchv1.CronJob) (of jobs, err error) {
	all, err := r.jobs.Jobs(cronJob.Namespace).List(labels.Everything())
	if err != nil {
		return of, err
	}
	for _, job := range all {
		switch {
		case !metav1.IsControlledBy(job, cronJob) || job.DeletionTimestamp != nil:
		case has(job, batchv1.JobComplete):
			of.complete = append(of.complete, job)
		case has(job, batchv1.JobFailed):
			of.failed = append(of.failed, job)
		default:
			of.active = append(of.active, job)
		}
	}
	return of, nil
}

// include reports whether one of the Jobs has a name.
func (j *jobs) include(name string) bool {
	return slices.ContainsFunc(slices.Concat(j.active, j.complete, j.failed),
		func(job *batchv1.Job) bool { return job.Name == name })
}

func has(job *batchv1.Job, condition batchv1.JobConditionType) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == condition && c.Status == corev1.ConditionTrue
	})
}

// nameFor returns the name of the Job for a time.
func nameFor(cronJob *batchv1.CronJob, due time.Time) string {
	return fmt.Sprintf("%s-%d", cronJob.Name, due.Unix()/60)
}

// create creates the Job for a time. Its name is made from the time, so that a time that was cut short
// does not get two.
func (r *reconciler) create(ctx context.Context, cronJob *batchv1.CronJob, due time.Time) error {
	client := r.client.Jobs(cronJob.Namespace)
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cronJob.Namespace, Name: nameFor(cronJob, due),
			Labels: cronJob.Spec.JobTemplate.Labels, Annotations: cronJob.Spec.JobTemplate.Annotations,
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(cronJob, batchv1.SchemeGroupVersion.WithKind("CronJob")),
			},
		},
		Spec: cronJob.Spec.JobTemplate.Spec,
	}
	_, err := client.Create(ctx, job, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) { // perhaps the cache does not have it yet
		var there *batchv1.Job
		if there, err = client.Get(ctx, job.Name, metav1.GetOptions{}); err == nil && !metav1.IsControlledBy(there, cronJob) {
			err = fmt.Errorf("there is a Job of that name which is not of the CronJob: delete it")
		}
	}
	if err != nil {
		return fmt.Errorf("create the Job %s for %s: %w", job.Name, due.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// removeAll removes Jobs, and the pods of these.
func (r *reconciler) removeAll(ctx context.Context, unwanted []*batchv1.Job) error {
	for _, job := range unwanted {
		err := r.client.Jobs(job.Namespace).Delete(ctx, job.Name, metav1.DeleteOptions{
			Preconditions:     metav1.NewUIDPreconditions(string(job.UID)),
			PropagationPolicy: ptr.To(metav1.DeletePropagationBackground),
		})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("remove the Job %s: %w", job.Name, err)
		}
	}
	return nil
}

// beyond returns all but the newest of finished Jobs. Without a limit it returns none.
func beyond(limit *int32, finished []*batchv1.Job) []*batchv1.Job {
	if limit == nil {
		return nil
	}
	slices.SortFunc(finished, func(a, b *batchv1.Job) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(b.Name, a.Name))
	})
	return finished[min(int(*limit), len(finished)):]
}
