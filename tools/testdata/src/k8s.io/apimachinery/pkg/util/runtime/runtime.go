// Package runtime stands in for the real one.
package runtime

import "context"

func HandleError(err error) {}

func HandleErrorWithContext(ctx context.Context, err error, msg string, keysAndValues ...any) {}

func HandleCrash(additionalHandlers ...func(any)) {}

func HandleCrashWithContext(ctx context.Context, additionalHandlers ...func(context.Context, any)) {}
