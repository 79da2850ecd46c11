package controller

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// withQuietEnds makes the logger of ctx write an error that says no more than that a context was
// cancelled by the framework as a line for debugging: client-go, and user code, would log it as an
// error although nothing has failed (C5).
func withQuietEnds(ctx context.Context) context.Context {
	logger := klog.FromContext(ctx)
	if logger.GetSink() == nil {
		return ctx
	}
	return klog.NewContext(ctx, logger.WithSink(quietSink{logger.WithCallDepth(1).GetSink()}))
}

type quietSink struct{ logr.LogSink }

const debugLevel = 1

func (s quietSink) Error(err error, msg string, keysAndValues ...any) {
	if ended := cause.Of(err); ended == nil || ended.Timeout() || ended == cause.Failed {
		s.LogSink.Error(err, msg, keysAndValues...)
		return
	}
	if s.Enabled(debugLevel) {
		s.Info(debugLevel, msg, append([]any{"err", err}, keysAndValues...)...)
	}
}

func (s quietSink) WithValues(keysAndValues ...any) logr.LogSink {
	return quietSink{s.LogSink.WithValues(keysAndValues...)}
}

func (s quietSink) WithName(name string) logr.LogSink { return quietSink{s.LogSink.WithName(name)} }

func (s quietSink) WithCallDepth(depth int) logr.LogSink {
	if deep, ok := s.LogSink.(logr.CallDepthLogSink); ok {
		return quietSink{deep.WithCallDepth(depth)}
	}
	return s
}
