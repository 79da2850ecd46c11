package quiet_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/lanyard-k8s/lanyard/controller/internal/quiet"
)

func TestAnExpectedErrorIsALineForDebuggingAndAllNameTheirOwnPlace(t *testing.T) {
	var log bytes.Buffer
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&log), textlogger.Verbosity(4))))
	ctx = quiet.Errors(ctx, 4, func(err error) bool { return errors.Is(err, io.EOF) })
	ctx = quiet.Errors(ctx, 5, func(err error) bool { return errors.Is(err, io.ErrClosedPipe) })
	logger := klog.FromContext(ctx).WithName("name").WithValues("key", "value")
	logger.Info("a line")
	logger.Error(io.EOF, "expected")
	logger.Error(io.ErrClosedPipe, "expected, and not of this verbosity")
	logger.Error(io.ErrNoProgress, "a failure")
	logger.Error(nil, "a failure without an error")

	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{`^I.*"a line"`, `^I.*"expected" .*err="EOF"`, `^E.*"a failure" err=`, `^E.*"a failure without an error"`}
	if len(lines) != len(want) {
		t.Fatalf("there are %d lines, want %d:\n%s", len(lines), len(want), &log)
	}
	for i, pattern := range want {
		if !regexp.MustCompile(pattern).MatchString(lines[i]) || !strings.Contains(lines[i], ` quiet_test.go:`) ||
			!strings.Contains(lines[i], `logger="name"`) || !strings.Contains(lines[i], `key="value"`) {
			t.Errorf("line %d is %s, want %s, with its place, name and value", i, lines[i], pattern)
		}
	}
}
