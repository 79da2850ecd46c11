package ctxlanyard

import (
	"testing"

	"example.com/informers"
)

func startForTest(t *testing.T, f informers.SharedInformerFactory) { f.StartWithContext(t.Context()) }
