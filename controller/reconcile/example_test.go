// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Objects that are checked each hour should not all be checked in the same moment, as they would
// after a restart. wait.Jitter adds up to a tenth here.
func ExampleResult_jitter() {
	result := reconcile.Result{RequeueAfter: wait.Jitter(time.Hour, 0.1)}
	fmt.Println(result.RequeueAfter >= time.Hour, result.RequeueAfter <= 66*time.Minute)
	// Output: true true
}

// A schedule asks for the time of its next run. If the reconcile was late by a moment and that time
// has passed, the object is reconciled at once.
func ExampleResult_schedule() {
	lastRun := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	result := reconcile.Result{RequeueAt: lastRun.Add(15 * time.Minute)}
	fmt.Println(result.RequeueAt.Format(time.TimeOnly))
	// Output: 12:15:00
}
