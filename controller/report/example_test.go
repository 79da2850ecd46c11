// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"fmt"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// A report is data, and text for a person.
func ExampleShutdown() {
	fmt.Print(report.Shutdown{
		Cause: cause.Shutdown,
		Took:  1200 * time.Microsecond,
		Cancelled: []report.Work{{
			Kind: report.Item, Owner: "flunder", Item: reconcile.Request{Namespace: "default", Name: "web"},
			Age: 812 * time.Millisecond,
			Calls: []report.Call{{
				Verb: "apply", Resource: "deployments.apps", Namespace: "default", Name: "web", Age: 3 * time.Millisecond,
			}},
		}},
		Queued: map[string]int{"flunder": 41},
	})
	// Output:
	// stopped in 1.2ms: the manager is shutting down
	//   cancelled: 1 item in flight
	//     item flunder default/web, running for 812ms, in apply deployments.apps default/web for 3ms
	//   not started: 41 items in the queue of flunder
	//   left running: nothing
}
