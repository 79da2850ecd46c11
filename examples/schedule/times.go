// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
)

// times returns the last time of a CronJob that has come and has no Job yet, and the next one. due is
// zero if there is none, or if its startingDeadlineSeconds have passed.
func times(cronJob *batchv1.CronJob, now time.Time) (due, next time.Time, err error) {
	schedule, err := parse(cronJob)
	if err != nil {
		return due, next, err
	}
	earliest := cronJob.CreationTimestamp.Time
	if last := cronJob.Status.LastScheduleTime; last != nil {
		earliest = last.Time
	}
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok {
		due, next = timesOfEvery(every.Delay, earliest, now)
	} else {
		due, next = last(schedule, earliest, now), schedule.Next(now)
	}
	if deadline := cronJob.Spec.StartingDeadlineSeconds; deadline != nil {
		if due.Before(now.Add(-time.Duration(*deadline) * time.Second)) {
			due = time.Time{}
		}
	}
	return due, next, nil
}

// timesOfEvery returns the last and the next time of "@every delay". Its times are counted from the last
// one, or from the creation. Counted from now, each event of the CronJob would put the next time off.
func timesOfEvery(delay time.Duration, from, now time.Time) (due, next time.Time) {
	passed := now.Sub(from) / delay
	if passed > 0 {
		due = from.Add(passed * delay)
	}
	return due, from.Add((max(passed, 0) + 1) * delay)
}

// last returns the last time of a schedule after one moment and until another. It looks further and
// further back, so that a schedule of each minute that was missed for a year costs no more than one
// that was missed for an hour.
func last(schedule cron.Schedule, after, until time.Time) (due time.Time) {
	for back := time.Hour; due.IsZero(); back *= 2 {
		from := until.Add(-back)
		if from.Before(after) {
			from = after
		}
		for t := schedule.Next(from); !t.IsZero() && !t.After(until); t = schedule.Next(t) {
			due = t
		}
		if from.Equal(after) {
			break
		}
	}
	return due
}

func parse(cronJob *batchv1.CronJob) (cron.Schedule, error) {
	schedule, err := cron.ParseStandard(cronJob.Spec.Schedule)
	if err != nil {
		return nil, fmt.Errorf("%q is no schedule: %w", cronJob.Spec.Schedule, err)
	}
	zone := time.UTC
	if cronJob.Spec.TimeZone != nil {
		if zone, err = time.LoadLocation(*cronJob.Spec.TimeZone); err != nil {
			return nil, err
		}
	}
	if spec, ok := schedule.(*cron.SpecSchedule); ok {
		spec.Location = zone
	}
	return schedule, nil
}
