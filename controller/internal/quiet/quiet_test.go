// SPDX-License-Identifier: Apache-2.0

package quiet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
)

func TestAnExpectedErrorIsALineForDebuggingAndAllNameTheirOwnPlace(t *testing.T) {
	var log bytes.Buffer
	config := textlogger.NewConfig(textlogger.Output(&log), textlogger.Verbosity(4))
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(config))
	ctx = quiet.Demote(ctx, 4, func(err error) bool { return errors.Is(err, io.EOF) })
	ctx = quiet.Demote(ctx, 5, func(err error) bool { return errors.Is(err, io.ErrClosedPipe) })
	logger := klog.FromContext(ctx).WithName("name").WithValues("key", "value")
	logger.Info("a line")
	logger.Error(io.EOF, "expected")
	logger.Error(io.ErrClosedPipe, "expected, and not of this verbosity")
	logger.Error(io.ErrNoProgress, "a failure")
	logger.Error(nil, "a failure without an error")

	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{
		`^I.*"a line"`, `^I.*"expected" .*err="EOF"`,
		`^E.*"a failure" err=`, `^E.*"a failure without an error"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("there are %d lines, want %d:\n%s", len(lines), len(want), &log)
	}
	for i, pattern := range want {
		if !regexp.MustCompile(pattern).MatchString(lines[i]) ||
			!strings.Contains(lines[i], ` quiet_test.go:`) ||
			!strings.Contains(
				lines[i],
				`logger="name"`,
			) || !strings.Contains(lines[i], `key="value"`) {
			t.Errorf("line %d is %s, want %s, with its place, name and value", i, lines[i], pattern)
		}
	}
}

func TestALoggerThatDiscardsEverythingStaysAsItIs(t *testing.T) {
	ctx := klog.NewContext(t.Context(), logr.Discard())
	demoted := quiet.Demote(ctx, 4, func(error) bool {
		t.Error("nothing is logged, so that there is nothing to ask")
		return true
	})
	klog.FromContext(demoted).Error(io.EOF, "expected")
	if demoted != ctx {
		t.Error("the context is another one")
	}
}

func TestADemotedErrorKeepsItsKeysAndTheValuesOfTheContext(t *testing.T) {
	type key struct{}
	var lines []string
	sink := funcr.New(
		func(prefix, args string) { lines = append(lines, args) },
		funcr.Options{Verbosity: 4},
	)
	ctx := klog.NewContext(context.WithValue(t.Context(), key{}, "value"), sink)
	ctx = quiet.Demote(ctx, 4, func(err error) bool { return errors.Is(err, io.EOF) })
	klog.FromContext(ctx).Error(io.EOF, "expected", "key", 1)
	want := `"level"=4 "msg"="expected" "err"="EOF" "key"=1`
	if len(lines) != 1 || lines[0] != want || ctx.Value(key{}) != "value" {
		t.Errorf("it logged %q, want %q; the context has %v", lines, want, ctx.Value(key{}))
	}
}
