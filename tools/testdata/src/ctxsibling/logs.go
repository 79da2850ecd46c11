package ctxsibling

import (
	"context"

	"k8s.io/apimachinery/pkg/util/runtime"
)

func logs(ctx context.Context, err error) {
	defer runtime.HandleCrash() // want `runtime.HandleCrash is not told of the caller's context: what it logs is without the logger and the trace of ctx: write HandleCrashWithContext`
	runtime.HandleError(err)    // want `write HandleErrorWithContext \(with a message, and keys and values\)`
}

func nothingToLogWith(err error) {
	defer runtime.HandleCrash()
	runtime.HandleError(err)
}
