// SPDX-License-Identifier: Apache-2.0

// Package itemlog is the log sink of an item: it adds the item's name and attempt to a logger when the
// first line is written. Most items write none, and to add values to a logger costs more than all else
// that is done for such an item.
package itemlog

import (
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Sink is the log sink of an item. It is a part of the item, so that it costs no allocation of its own.
type Sink struct {
	base    logr.Logger
	object  *reconcile.Request // the item's own
	attempt int

	once sync.Once
	sink logr.LogSink // of base, with the values
}

var _ logr.LogSink = (*Sink)(nil)

// Logger returns base with the item's values. It is called once for each sink. The object must not change.
func (s *Sink) Logger(base logr.Logger, object *reconcile.Request, attempt int) logr.Logger {
	s.base = base
	s.object = object
	s.attempt = attempt
	return logr.New(s).V(base.GetV())
}

// named returns the sink below with the item's values.
func (s *Sink) named() logr.LogSink {
	s.once.Do(func() {
		object := klog.KRef(s.object.Namespace, s.object.Name)
		s.sink = s.base.WithCallDepth(1).WithValues("object", object, "attempt", s.attempt).GetSink()
	})
	return s.sink
}

// Init does nothing: the logger below has initialised its sink.
func (s *Sink) Init(logr.RuntimeInfo) {}

// Enabled asks the sink below, without making the values.
func (s *Sink) Enabled(level int) bool { return s.base.GetSink().Enabled(level) }

// Info writes a line with the item's values.
func (s *Sink) Info(level int, msg string, keysAndValues ...any) {
	s.named().Info(level, msg, keysAndValues...)
}

// Error writes an error with the item's values.
func (s *Sink) Error(err error, msg string, keysAndValues ...any) {
	s.named().Error(err, msg, keysAndValues...)
}

// WithValues returns the sink below with the item's values and these.
func (s *Sink) WithValues(keysAndValues ...any) logr.LogSink {
	return s.direct().WithValues(keysAndValues...)
}

// WithName returns the sink below with the item's values and a name.
func (s *Sink) WithName(name string) logr.LogSink { return s.direct().WithName(name) }

// WithCallDepth returns the sink below with the item's values and a call depth.
func (s *Sink) WithCallDepth(depth int) logr.LogSink {
	sink := s.direct()
	if deep, ok := sink.(logr.CallDepthLogSink); ok {
		return deep.WithCallDepth(depth)
	}
	return sink
}

// direct returns the sink with the values, for callers that will call it without this one in between.
func (s *Sink) direct() logr.LogSink {
	sink := s.named()
	if deep, ok := sink.(logr.CallDepthLogSink); ok {
		return deep.WithCallDepth(-1)
	}
	return sink
}
