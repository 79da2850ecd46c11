// SPDX-License-Identifier: Apache-2.0

package controller

import "context"

// DryRun makes a manager find out what it would do, without doing it: see [Manager.Plan]. The zero value
// works.
type DryRun struct {
	// Rounds is how often each object is reconciled. A second round sees the same objects as the first,
	// because nothing has changed: it shows whether a reconcile always asks for the same. Default: 1.
	Rounds int

	// Runnables lets runnables and servers run too. Their calls to the API server are dry as well. They end
	// when all objects have been reconciled. Default: false, because what else they do is not dry.
	Runnables bool
}

type dryRunKey struct{}

// withDryRun returns a context of which [IsDryRun] is true.
func withDryRun(ctx context.Context) context.Context {
	return context.WithValue(ctx, dryRunKey{}, true)
}

// IsDryRun reports whether the work on ctx is part of a dry run: see [Manager.Plan]. Code that changes
// something outside of the API server must ask for it, and not do that then.
func IsDryRun(ctx context.Context) bool {
	dry, _ := ctx.Value(dryRunKey{}).(bool)
	return dry
}
