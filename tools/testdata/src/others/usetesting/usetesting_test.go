package usetesting

import (
	"context"
	"os"
	"testing"
)

func Test(t *testing.T) {
	dir, _ := os.MkdirTemp("", "")
	f, _ := os.CreateTemp("", "")
	_ = os.Chdir(dir)
	_ = f
	_ = context.Background() // what a test means by it, usetesting cannot tell
}
