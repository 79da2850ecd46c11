package usetesting

import (
	"context"
	"os"
	"testing"
)

func Test(t *testing.T) {
	dir, _ := os.MkdirTemp("", "") // want `os.MkdirTemp\(\) could be replaced by t.TempDir\(\)`
	_ = dir
	_ = context.Background() // what a test means by it, usetesting cannot tell
}
