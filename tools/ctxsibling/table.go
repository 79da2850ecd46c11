// SPDX-License-Identifier: Apache-2.0

package ctxsibling

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"

	"github.com/lanyard-k8s/lanyard/tools/internal/scope"
)

const (
	waitPath  = "k8s.io/apimachinery/pkg/util/wait"
	cachePath = "k8s.io/client-go/tools/cache"
	errPath   = "k8s.io/apimachinery/pkg/util/runtime"
)

// other are siblings that no rule of naming finds. They are reported only if the package that
// the code is built with has them. None is a drop-in, so there is no fix.
var other = map[string]struct{ name, note string }{
	waitPath + ".Poll":                   {"PollUntilContextTimeout", "with immediate false; it returns the context's error in place of ErrWaitTimeout: test with wait.Interrupted"},
	waitPath + ".PollImmediate":          {"PollUntilContextTimeout", "with immediate true; it returns the context's error in place of ErrWaitTimeout: test with wait.Interrupted"},
	waitPath + ".PollInfinite":           {"PollUntilContextCancel", "with immediate false"},
	waitPath + ".PollImmediateInfinite":  {"PollUntilContextCancel", "with immediate true"},
	waitPath + ".PollUntil":              {"PollUntilContextCancel", "with immediate false, and the context in place of the channel"},
	waitPath + ".PollImmediateUntil":     {"PollUntilContextCancel", "with immediate true, and the context in place of the channel"},
	cachePath + ".WaitForCacheSync":      {"WaitFor", "with the informers' HasSyncedChecker, which names what did not sync and does not poll"},
	cachePath + ".WaitForNamedCacheSync": {"WaitForNamedCacheSyncWithContext", "the name is the context's logger's"},
	errPath + ".HandleError":             {"HandleErrorWithContext", "with a message, and keys and values"},
	errPath + ".HandleCrash":             {"HandleCrashWithContext", "handlers that are passed in gain a context"},
}

func tabled(pass *analysis.Pass, n *ast.CallExpr, fn *types.Func) (sibling, bool) {
	next, ok := other[fn.Pkg().Path()+"."+fn.Name()]
	if !ok || fn.Signature().Recv() != nil || fn.Pkg().Scope().Lookup(next.name) == nil {
		return sibling{}, false
	}
	s := sibling{name: next.name, note: next.note, lead: true, stop: -1}
	s.logs = fn.Pkg().Path() == errPath
	for i, arg := range n.Args {
		if t := pass.TypesInfo.TypeOf(arg); t != nil && scope.IsStop(t) {
			s.stop = i
		}
	}
	return s, true
}
