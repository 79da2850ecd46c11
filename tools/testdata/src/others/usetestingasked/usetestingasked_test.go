package usetestingasked

import (
	"context"
	"os"
	"testing"
)

func Test(t *testing.T) {
	_, _ = os.CreateTemp("", "")
	_ = context.Background() // want `context.Background\(\) could be replaced by t.Context\(\)`
}
