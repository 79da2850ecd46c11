// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller/internal/reasons"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Key is an item of a controller.
type Key struct {
	Controller string
	Item       reconcile.Request
}

// Event is the event that has led to a reconcile. The zero value is none.
type Event struct {
	Kind, Namespace, Name, Version string
	Change                         reasons.Change
}

// EventOf returns what is kept of a trigger.
func EventOf(t reasons.Trigger) Event {
	if t.Object == nil {
		return Event{}
	}
	return Event{
		Kind: kindOf(t.Object), Namespace: t.Object.GetNamespace(), Name: t.Object.GetName(),
		Version: t.Object.GetResourceVersion(), Change: t.Change,
	}
}

// kindOf returns the kind that an object states, or else the name of its Go type, which has the name of the kind.
func kindOf(object metav1.Object) string {
	if o, ok := object.(runtime.Object); ok {
		if kind := o.GetObjectKind().GroupVersionKind().Kind; kind != "" {
			return kind
		}
	}
	t := reflect.TypeOf(object)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// Record is a reconcile that has ended.
type Record struct {
	Key
	Reason   reconcile.Reason
	Event    Event
	Triggers int
	Attempt  int
	Ready    time.Time
	Began    time.Time
	Took     time.Duration
	Outcome  reconcile.Outcome
	Cause    string // the name of the cause of a cancelled one
	Error    string // what is known of the error
	Again    bool
	After    time.Duration
	Calls    int
	Writes   []work.Written // nil for none
}
