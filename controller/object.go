// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Object is a pointer to an API type, such as *corev1.ConfigMap.
type Object interface {
	metav1.Object
	runtime.Object
	comparable
}

// Request names the object to reconcile.
type Request = reconcile.Request

// Result says when an object is reconciled again. The zero value says: not before the next event. See
// [reconcile.Result].
type Result = reconcile.Result

// ReconcileFunc makes the cluster, and whatever else it controls, match what an object asks for.
//
// ctx descends from the context of [Manager.Run]. It ends when the reconcile must stop, and
// [context.Cause] says why. Pass it to every call. object is a copy, which the function may change.
// At most one reconcile of an object runs at a time; events that arrive meanwhile cause one more.
//
// What the return values cause:
//   - nil: the object is left alone until the next event, or until the time that the [Result] asks
//     for.
//   - an error: it is logged and counted, and the object is tried again after a back-off that grows,
//     or at the time that the [Result] asks for.
//   - an error from [TerminalError]: it is logged and counted, and the object waits for the next
//     event, or for the time that the [Result] asks for.
//   - an error after ctx has ended: the reconcile was cancelled, which is no failure; it is counted
//     by cause. A superseded object is reconciled again at once. A reconcile that used up its time
//     has failed, and is tried again after a back-off.
//   - a panic: it is handled as an error, with its stack.
//
// The last reconcile decides: an event that comes before the time of a [Result] or the end of a
// back-off has the object reconciled at once, and that time is void then.
//
// The back-off of an object begins anew after a reconcile that returned nil or a [TerminalError], if
// the object was deleted or replaced by another one of the same name, and in the next term of
// leadership. A change of the object does not reset it, nor does a reconcile that was superseded. See
// [Attempt].
type ReconcileFunc[T Object] func(ctx context.Context, object T) (Result, error)

// TerminalError returns an error with which a reconcile is logged and counted as failed, but not
// tried again until the next event, or the time in its [Result]. It wraps err, and is nil if err is
// nil. See [reconcile.TerminalError].
func TerminalError(err error) error { return reconcile.TerminalError(err) }

// PanicError is the error of a reconcile function, or another part of a manager, that panicked.
type PanicError = reconcile.PanicError
