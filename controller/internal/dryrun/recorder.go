// SPDX-License-Identifier: Apache-2.0

// Package dryrun makes the plan of a dry run: it sees what each call would change, and how each reconcile
// ends.
package dryrun

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// Recorder makes a plan. It is an observer, and has a round tripper. It is safe for concurrent use.
type Recorder struct {
	observe.Nop
	reader reader

	mu     sync.Mutex
	plan   plan.Plan
	unmade unmade
	marks  map[*work.Unit]*marks
}

// marks is what has happened in a reconcile that runs.
type marks struct {
	stops   []int // in the plan
	refused []int // failures in the plan
}

// New makes a recorder. schemes have the types of what clients encode in protobuf.
func New(schemes func() []*runtime.Scheme) *Recorder {
	metadata := runtime.NewScheme()
	_ = metav1.AddMetaToScheme(metadata) // it adds types to an empty scheme
	return &Recorder{
		reader: reader{schemes: func() []*runtime.Scheme { return append(schemes(), metadata) }},
		marks:  map[*work.Unit]*marks{},
	}
}

// Plan returns the plan so far, in the order of its authors.
func (r *Recorder) Plan() *plan.Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	made := r.plan
	made.Changes = slices.Clone(made.Changes)
	made.Failures = slices.Clone(made.Failures)
	made.Stops = slices.Clone(made.Stops)
	slices.SortStableFunc(made.Changes, func(a, b plan.Change) int { return inOrder(a.Author, b.Author) })
	slices.SortStableFunc(made.Failures, func(a, b plan.Failure) int { return inOrder(a.Author, b.Author) })
	slices.SortStableFunc(made.Stops, func(a, b plan.Stop) int { return inOrder(a.Author, b.Author) })
	return &made
}

func inOrder(a, b plan.Author) int {
	return cmp.Or(cmp.Compare(a.Controller, b.Controller), cmp.Compare(a.Runnable, b.Runnable),
		cmp.Compare(a.Request.Namespace, b.Request.Namespace), cmp.Compare(a.Request.Name, b.Request.Name))
}

// NotRun notes what is left out.
func (r *Recorder) NotRun(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan.NotRun = append(r.plan.NotRun, what)
}

// Failed notes a failure that is no reconcile's.
func (r *Recorder) Failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan.Failures = append(r.plan.Failures, plan.Failure{Err: err})
}

func authorOf(unit *work.Unit) plan.Author {
	switch {
	case unit == nil:
		return plan.Author{}
	case unit.Kind == report.Item:
		return plan.Author{Controller: unit.Owner, Request: unit.Key}
	}
	return plan.Author{Runnable: unit.Owner}
}

// mark returns the marks of a unit. r.mu must be held.
func (r *Recorder) mark(unit *work.Unit) *marks {
	if unit == nil || unit.Kind != report.Item {
		return &marks{}
	}
	if r.marks[unit] == nil {
		r.marks[unit] = &marks{}
	}
	return r.marks[unit]
}

// ItemEnded notes how a reconcile has ended.
func (r *Recorder) ItemEnded(_ context.Context, item *observe.Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.mark(&item.Unit)
	delete(r.marks, &item.Unit)
	if item.Outcome == reconcile.Cancelled {
		return // it is made again
	}
	r.plan.Reconciles++
	if item.Err == nil {
		return
	}
	author := authorOf(&item.Unit)
	switch {
	case r.refusedWith(of, item.Err):
	case r.stoppedWith(of, item, author):
	case !slices.ContainsFunc(r.plan.Failures, func(f plan.Failure) bool { // in an earlier round
		return f.Author == author && f.Err.Error() == item.Err.Error()
	}):
		r.plan.Failures = append(r.plan.Failures, plan.Failure{Author: author, Err: item.Err})
	}
}

// refusedWith reports whether a reconcile has failed because one of its calls could not be dry, which is in
// the plan already.
func (r *Recorder) refusedWith(of *marks, err error) bool {
	for _, i := range of.refused {
		refused := &r.plan.Failures[i]
		if errors.Is(err, refused.Err) || strings.Contains(err.Error(), refused.Err.Error()) {
			refused.Err = err
			return true
		}
	}
	return false
}

// stoppedWith reports whether a reconcile has failed because an earlier write was not really made.
func (r *Recorder) stoppedWith(of *marks, item *observe.Item, author plan.Author) bool {
	var status apierrors.APIStatus
	isStatus := errors.As(item.Err, &status)
	follows := !isStatus || apierrors.IsNotFound(item.Err) || apierrors.IsAlreadyExists(item.Err)
	if len(of.stops) > 0 && follows {
		r.plan.Stops[of.stops[len(of.stops)-1]].Err = item.Err
		return true
	}
	if !isStatus || !apierrors.IsNotFound(item.Err) {
		return false
	}
	// A cache says that too.
	details := status.Status().Details
	if details == nil {
		return false
	}
	missing, ok := r.unmade.named(details.Group, details.Kind, item.Key.Namespace, details.Name)
	if ok {
		r.stop(&marks{}, plan.Stop{Author: author, Action: plan.Create, Of: missing, Err: item.Err})
	}
	return ok
}

// stop adds a stop, once. r.mu must be held.
func (r *Recorder) stop(of *marks, stop plan.Stop) {
	i := slices.IndexFunc(r.plan.Stops, func(s plan.Stop) bool {
		return s.Author == stop.Author && s.Verb == stop.Verb && s.Object == stop.Object && s.Of == stop.Of
	})
	if i < 0 {
		i = len(r.plan.Stops)
		r.plan.Stops = append(r.plan.Stops, stop)
	}
	of.stops = append(of.stops, i)
}

// refused notes a call that could not be dry.
func (r *Recorder) refused(unit *work.Unit, failure plan.Failure) {
	failure.Author = authorOf(unit)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.plan.Failures, func(f plan.Failure) bool {
		return f.Author == failure.Author && f.Verb == failure.Verb && f.Object == failure.Object
	})
	if i < 0 {
		i = len(r.plan.Failures)
		r.plan.Failures = append(r.plan.Failures, failure)
	}
	of := r.mark(unit)
	of.refused = append(of.refused, i)
}

// missed notes a call that has failed with an error that is, perhaps, because of an earlier write.
func (r *Recorder) missed(unit *work.Unit, verb string, object plan.Object, exists bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	action := plan.Create
	of, ok := r.unmade.why(object)
	if exists {
		action = plan.Delete
		of, ok = r.unmade.deleted(object)
	}
	if ok {
		r.stop(r.mark(unit), plan.Stop{Author: authorOf(unit), Verb: verb, Object: object, Action: action, Of: of})
	}
}

// changed notes a write. before and after are nil if they are not known.
func (r *Recorder) changed(unit *work.Unit, change plan.Change, before, after map[string]any) {
	change.Author = authorOf(unit)
	change.Times = 1
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unmade.note(&change, after)
	switch {
	case change.Action == plan.Delete:
	case after == nil, change.Action == plan.Update && before == nil:
		change.Unread = true
	default:
		d := &diff{secret: isSecret(change.Object), replaced: r.unmade.replaced}
		if change.Fields = d.compare(before, after); len(change.Fields) == 0 && change.Action == plan.Update {
			return
		}
	}
	for i := range r.plan.Changes {
		if same := &r.plan.Changes[i]; same.Author == change.Author && same.Action == change.Action &&
			same.Object == change.Object && reflect.DeepEqual(same.Fields, change.Fields) {
			same.Times++
			return
		}
	}
	r.plan.Changes = append(r.plan.Changes, change)
}

func isSecret(object plan.Object) bool { return object.Group == "" && object.Resource == "secrets" }
