// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"runtime"
	"strings"
)

// callSite returns the file and line that made the call which this goroutine is about to send: the
// first that is neither a library's, on the way from a call to a request, nor a generated client's.
// If there is none, it is the outermost.
func callSite() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var frame runtime.Frame
	for more := true; more; {
		var next runtime.Frame
		if next, more = frames.Next(); next.Function == "runtime.goexit" {
			break
		}
		frame = next
		if !onTheWay(&frame) {
			break
		}
	}
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}

// onTheWay reports whether a function is on the way from a call to its request.
func onTheWay(frame *runtime.Frame) bool {
	if strings.HasSuffix(frame.File, "_test.go") {
		return false
	}
	for _, library := range []string{
		"net/http.", "runtime.", "sync.", "k8s.io/client-go/", "k8s.io/apimachinery/", "golang.org/x/",
		"go.opentelemetry.io/", "sigs.k8s.io/controller-runtime/",
		"github.com/lanyard-k8s/lanyard/controller.", "github.com/lanyard-k8s/lanyard/controller/",
	} {
		if strings.HasPrefix(frame.Function, library) {
			return true
		}
	}
	return strings.Contains(frame.File, "/clientset/") || strings.Contains(frame.File, "/versioned/typed/")
}
