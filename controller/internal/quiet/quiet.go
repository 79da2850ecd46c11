// SPDX-License-Identifier: Apache-2.0

// Package quiet lowers the level of log lines for errors that are expected.
package quiet

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// Demote returns a context with the logger of ctx, except that an error for which expected returns
// true is logged as an info line of that verbosity. It is for the log of other people's code, which
// cannot know which errors are normal here. A logger that discards everything stays as it is.
// expected is called with errors that are not nil, possibly from several goroutines at once.
func Demote(ctx context.Context, verbosity int, expected func(error) bool) context.Context {
	logger := klog.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	wrapped := sink{logger.WithCallDepth(1).GetSink(), verbosity, expected}
	return klog.NewContext(ctx, logger.WithSink(wrapped))
}

type sink struct {
	logr.LogSink
	verbosity int
	expected  func(error) bool
}

// Info is not promoted from the embedded sink: the call depth counts one frame for this type, and a
// promoted method has none, so that a line would name the caller of its caller.
func (s sink) Info(level int, msg string, keysAndValues ...any) {
	s.LogSink.Info(level, msg, keysAndValues...)
}

func (s sink) Error(err error, msg string, keysAndValues ...any) {
	if err == nil || !s.expected(err) {
		s.LogSink.Error(err, msg, keysAndValues...)
		return
	}
	if s.Enabled(s.verbosity) {
		s.LogSink.Info(s.verbosity, msg, append([]any{"err", err}, keysAndValues...)...)
	}
}

func (s sink) WithValues(keysAndValues ...any) logr.LogSink {
	s.LogSink = s.LogSink.WithValues(keysAndValues...)
	return s
}

func (s sink) WithName(name string) logr.LogSink {
	s.LogSink = s.LogSink.WithName(name)
	return s
}

func (s sink) WithCallDepth(depth int) logr.LogSink {
	if deep, ok := s.LogSink.(logr.CallDepthLogSink); ok {
		s.LogSink = deep.WithCallDepth(depth)
	}
	return s
}
