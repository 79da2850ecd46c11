// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/internal/suite"
	"github.com/lanyard-k8s/lanyard/examples/schedule"
)

func TestMain(m *testing.M) { suite.Main(m) }

func cronJob(namespace string, change func(*batchv1.CronJob)) *batchv1.CronJob {
	pod := corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "main", Image: "example.com/image"}},
	}}
	made := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "report", UID: "1", CreationTimestamp: metav1.Now(),
			Annotations: map[string]string{schedule.Annotation: "true"},
		},
		Spec: batchv1.CronJobSpec{
			Schedule: "*/10 * * * *", Suspend: ptr.To(true),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: pod}},
		},
	}
	if change != nil {
		change(made)
	}
	return made
}

// run runs the example in virtual time, on a clientset in memory.
func run(t *testing.T, client kubernetes.Interface) {
	m := controller.NewManager(&rest.Config{Host: "http://unused.invalid"}, controller.ManagerOptions{})
	schedule.SetUp(m, client)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func names(t *testing.T, client kubernetes.Interface) (names []string) {
	t.Helper()
	jobs, err := client.BatchV1().Jobs("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range jobs.Items {
		names = append(names, jobs.Items[i].Name)
	}
	slices.Sort(names)
	return names
}

func finish(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	jobs, err := client.BatchV1().Jobs("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range jobs.Items {
		job := jobs.Items[i].DeepCopy()
		job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
		if _, err := client.BatchV1().Jobs("default").UpdateStatus(t.Context(), job, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJobsAreStartedByTheRulesOfCronJobs(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*batchv1.CronJob)
		wait   time.Duration // from midnight
		jobs   int
		finish bool // all Jobs, then wait again
		then   int
	}{
		"each time":     {nil, 35 * time.Minute, 3, false, 0},
		"not suspended": {func(c *batchv1.CronJob) { c.Spec.Suspend = ptr.To(false) }, 35 * time.Minute, 0, false, 0},
		"not asked":     {func(c *batchv1.CronJob) { c.Annotations = nil }, 35 * time.Minute, 0, false, 0},
		"no schedule":   {func(c *batchv1.CronJob) { c.Spec.Schedule = "soon" }, 35 * time.Minute, 0, false, 0},
		"in a zone":     {func(c *batchv1.CronJob) { c.Spec.Schedule = "0 3 * * *"; c.Spec.TimeZone = ptr.To("Asia/Kolkata") }, 24 * time.Hour, 1, false, 0},
		"replace":       {func(c *batchv1.CronJob) { c.Spec.ConcurrencyPolicy = batchv1.ReplaceConcurrent }, 35 * time.Minute, 1, false, 0},
		"forbid":        {func(c *batchv1.CronJob) { c.Spec.ConcurrencyPolicy = batchv1.ForbidConcurrent }, 35 * time.Minute, 1, true, 2},
		"missed a day":  {func(c *batchv1.CronJob) { c.CreationTimestamp.Time = c.CreationTimestamp.Add(-24 * time.Hour) }, time.Second, 1, false, 0},
		"missed, past its deadline": {func(c *batchv1.CronJob) {
			c.Spec.Schedule = "0 12 * * *"
			c.CreationTimestamp.Time = c.CreationTimestamp.Add(-24 * time.Hour)
			c.Spec.StartingDeadlineSeconds = ptr.To[int64](60)
		}, time.Second, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // it begins at midnight
				time.Sleep(time.Second)
				client := fake.NewClientset(cronJob("default", test.change))
				run(t, client)
				time.Sleep(test.wait)
				synctest.Wait()
				if got := names(t, client); len(got) != test.jobs {
					t.Fatalf("there are the Jobs %q, want %d", got, test.jobs)
				}
				if !test.finish {
					return
				}
				finish(t, client)
				synctest.Wait()
				if got := names(t, client); len(got) != test.then {
					t.Errorf("then there are the Jobs %q, want %d", got, test.then)
				}
			})
		})
	}
}

// touch changes the CronJob, so that it is reconciled.
func touch(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	c, err := client.BatchV1().CronJobs("default").Get(t.Context(), "report", metav1.GetOptions{})
	if err == nil {
		c.Labels = map[string]string{"touched": time.Now().Format("150405")}
		_, err = client.BatchV1().CronJobs("default").Update(t.Context(), c, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnEventDoesNotPutOffTheTimesOfEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(cronJob("default", func(c *batchv1.CronJob) { c.Spec.Schedule = "@every 2h" }))
		run(t, client)
		time.Sleep(90 * time.Minute)
		touch(t, client)
		time.Sleep(31 * time.Minute)
		synctest.Wait()
		if got := names(t, client); len(got) != 1 {
			t.Errorf("there are the Jobs %q, want that of 2:00", got)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := names(t, client); len(got) != 2 {
			t.Errorf("there are the Jobs %q, want those of 2:00 and 4:00", got)
		}
	})
}

// TestAJobIsNotReplacedByItself if it is in the cache before the time for which it was started: the two
// come by different watches.
func TestAJobIsNotReplacedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(cronJob("default", func(c *batchv1.CronJob) {
			c.Spec.ConcurrencyPolicy = batchv1.ReplaceConcurrent
		}))
		client.PrependReactor("patch", "cronjobs", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, cronJob("default", nil), nil // what was written does not come back
		})
		run(t, client)
		time.Sleep(15 * time.Minute)
		touch(t, client)
		synctest.Wait()
		for _, action := range client.Actions() {
			if action.Matches("delete", "jobs") {
				t.Errorf("%v", action)
			}
		}
	})
}

func TestAJobThatCannotBeCreatedIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(cronJob("default", nil))
		failures := 2
		client.PrependReactor("create", "jobs", func(clienttesting.Action) (bool, runtime.Object, error) {
			failures--
			return failures >= 0, nil, errors.New("the API server is down")
		})
		run(t, client)
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if got := names(t, client); len(got) != 1 {
			t.Errorf("there are the Jobs %q", got)
		}
	})
}

// TestAJobOfAnotherIsNotTakenForOurs although it has the name.
func TestAJobOfAnotherIsNotTakenForOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := fmt.Sprintf("report-%d", time.Now().Add(10*time.Minute).Unix()/60)
		other := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
		client := fake.NewClientset(cronJob("default", nil), other)
		run(t, client)
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		c, err := client.BatchV1().CronJobs("default").Get(t.Context(), "report", metav1.GetOptions{})
		if err != nil || c.Status.LastScheduleTime != nil {
			t.Errorf("the time is noted as %v, %v", c.Status.LastScheduleTime, err)
		}
	})
}

func TestFinishedJobsAreKeptUpToTheirLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(cronJob("default", func(c *batchv1.CronJob) {
			c.Spec.SuccessfulJobsHistoryLimit = ptr.To[int32](1)
		}))
		run(t, client)
		var last string
		for range 3 {
			time.Sleep(10*time.Minute + time.Second)
			synctest.Wait()
			all := names(t, client)
			last = all[len(all)-1]
			finish(t, client)
		}
		synctest.Wait()
		if got := names(t, client); !slices.Equal(got, []string{last}) {
			t.Errorf("there are the Jobs %q, want %q", got, last)
		}
	})
}

func TestAMissedTimeIsMadeUpForOnce(t *testing.T) {
	e := suite.New(t, nil)
	operator := e.Start(controller.ManagerOptions{}, func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		if err == nil {
			schedule.SetUp(m, client)
		}
		return err
	})
	made, err := e.Kube.BatchV1().CronJobs(e.Namespace).Create(t.Context(), cronJob(e.Namespace, func(c *batchv1.CronJob) {
		c.Spec.Schedule = "0 0 1 1 *" // once a year
		c.UID, c.CreationTimestamp = "", metav1.Time{}
	}), metav1.CreateOptions{})
	e.Must(err)
	jobs := func() int {
		all, err := e.Kube.BatchV1().Jobs(e.Namespace).List(t.Context(), metav1.ListOptions{})
		e.Must(err)
		return len(all.Items)
	}
	if n := jobs(); n != 0 {
		t.Errorf("there are %d Jobs at first", n)
	}
	made.Status.LastScheduleTime = &metav1.Time{Time: time.Now().AddDate(-3, 0, 0)}
	_, err = e.Kube.BatchV1().CronJobs(e.Namespace).UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	e.Must(err)
	e.Eventually("there is a Job", func() bool { return jobs() == 1 })
	e.Eventually("the time is noted", func() bool {
		c, err := e.Kube.BatchV1().CronJobs(e.Namespace).Get(t.Context(), "report", metav1.GetOptions{})
		e.Must(err)
		return c.Status.LastScheduleTime.After(time.Now().AddDate(-1, 0, -1))
	})
	operator.AtRest(func() {
		_, err := e.Kube.BatchV1().Jobs(e.Namespace).Create(t.Context(), &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: "not-ours"}, Spec: made.Spec.JobTemplate.Spec,
		}, metav1.CreateOptions{})
		e.Must(err)
	})
	if n := jobs(); n != 2 {
		t.Errorf("there are %d Jobs at the end", n)
	}
}
