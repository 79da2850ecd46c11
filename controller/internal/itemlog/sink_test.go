// SPDX-License-Identifier: Apache-2.0

package itemlog_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/lanyard-k8s/lanyard/controller/internal/itemlog"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// through writes a line for its caller, and returns where that is.
func through(log logr.Logger) string {
	log.WithCallDepth(1).Info("a line")
	_, _, line, _ := runtime.Caller(1)
	return fmt.Sprintf(`"caller"={"file"="sink_test.go" "line"=%d}`, line)
}

// TestALineOfAnItemNamesTheCodeThatWroteIt, whatever the logger was made of, and has the item once.
func TestALineOfAnItemNamesTheCodeThatWroteIt(t *testing.T) {
	var lines []string
	base := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{LogCaller: funcr.All})
	for name, with := range map[string]func(logr.Logger) logr.Logger{
		"as it is":    func(log logr.Logger) logr.Logger { return log },
		"with values": func(log logr.Logger) logr.Logger { return log.WithValues("k", "v") },
		"with a name": func(log logr.Logger) logr.Logger { return log.WithName("name") },
		"with both":   func(log logr.Logger) logr.Logger { return log.WithName("name").WithValues("k", "v") },
	} {
		lines = nil
		logger := with((&itemlog.Sink{}).Logger(base, &reconcile.Request{Namespace: "n", Name: "a"}, 2))
		want := through(logger)
		if len(lines) != 1 || !strings.Contains(lines[0], want) || strings.Count(lines[0], `"attempt"=2`) != 1 {
			t.Errorf("%s: the lines are %v, want %s", name, lines, want)
		}
		lines = nil
		logger.Error(nil, "a line")
		if len(lines) != 1 || !strings.Contains(lines[0], "sink_test.go") || !strings.Contains(lines[0], `"object"={"name"="a" "namespace"="n"}`) {
			t.Errorf("%s: the lines of an error are %v", name, lines)
		}
	}
}
