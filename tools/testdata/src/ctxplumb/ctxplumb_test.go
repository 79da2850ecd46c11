package ctxplumb

import (
	"context"
	"testing"
)

// A test's call is changed along and appears in no report.
func TestTopmost(t *testing.T) {
	ctx := context.TODO()
	_ = ctx
	onlyTested()
}
