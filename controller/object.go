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

// Result is what a reconcile that succeeded asks for. The zero value asks for nothing.
type Result = reconcile.Result

// ReconcileFunc makes the cluster, and whatever else it controls, match what an object asks for.
//
// ctx descends from the context of [Manager.Run]. It ends when the reconcile must stop, and
// [context.Cause] says why. Pass it to every call. object is a copy, which the function may change.
// At most one reconcile of an object runs at a time; events that arrive meanwhile cause one more.
//
// What the return values cause:
//   - nil: the object is left alone until the next event, or until Result.RequeueAfter has passed.
//   - an error: it is logged and counted, and the object is tried again after a back-off that
//     grows.
//   - an error from [TerminalError]: it is logged and counted, and the object waits for the next
//     event.
//   - an error after ctx has ended: the reconcile was cancelled, which is no failure; it is counted
//     by cause. A superseded object is reconciled again at once. A reconcile that used up its time
//     has failed, and is tried again after a back-off.
//   - a panic: it is handled as an error, with its stack.
type ReconcileFunc[T Object] func(ctx context.Context, object T) (Result, error)

// TerminalError returns an error with which a reconcile is logged and counted as failed, but not
// tried again until the object changes. It wraps err, and is nil if err is nil. See
// [reconcile.TerminalError].
func TerminalError(err error) error { return reconcile.TerminalError(err) }

// PanicError is the error of a reconcile function, or another part of a manager, that panicked.
type PanicError = reconcile.PanicError
