// Package quiet keeps what is no failure out of the errors of a log.
package quiet

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// Errors returns a context whose logger writes an error that is expected as a line of that verbosity. It is
// for code of others, which cannot know what its errors mean here.
func Errors(ctx context.Context, verbosity int, expected func(error) bool) context.Context {
	logger := klog.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	return klog.NewContext(ctx, logger.WithSink(sink{logger.WithCallDepth(1).GetSink(), verbosity, expected}))
}

type sink struct {
	logr.LogSink
	verbosity int
	expected  func(error) bool
}

// Info is not left to the embedded sink: its frame counts as one for the call depth, and a promoted method's
// does not, so that lines would name their caller's caller.
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
