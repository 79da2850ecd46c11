// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// labelSet is a set of labels as OpenTelemetry takes it, ready for use.
type labelSet struct {
	option metric.MeasurementOption
	record []metric.RecordOption // the same; a slice made for each record would be an allocation
}

// labelSets has the sets of labels that were used, by their keys. The zero value is empty. It is
// safe for concurrent use.
type labelSets[K comparable] struct {
	mu    sync.RWMutex
	known map[K]labelSet
}

// get returns the set for a key. It makes each set once.
func (l *labelSets[K]) get(key K, attributes func(K) []attribute.KeyValue) labelSet {
	l.mu.RLock()
	set, ok := l.known[key]
	l.mu.RUnlock()
	if ok {
		return set
	}
	option := metric.WithAttributeSet(attribute.NewSet(attributes(key)...))
	set = labelSet{option: option, record: []metric.RecordOption{option}}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[K]labelSet{}
	}
	l.known[key] = set
	return set
}

// label returns a function that makes sets of one label.
func label(name string) func(string) []attribute.KeyValue {
	return func(value string) []attribute.KeyValue { return []attribute.KeyValue{attribute.String(name, value)} }
}

type reconcileLabels struct {
	controller string
	outcome    reconcile.Outcome
	cause      string // why it was cancelled, or ""
}

func (l reconcileLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("controller", l.controller), attribute.String("result", string(l.outcome)),
		attribute.String("cause", l.cause),
	}
}

type callLabels struct {
	verb, resource string
	code           int
}

func (l callLabels) attributes() []attribute.KeyValue {
	status := "none"
	if l.code > 0 {
		status = strconv.Itoa(l.code)
	}
	return []attribute.KeyValue{
		attribute.String("verb", l.verb), attribute.String("resource", l.resource),
		attribute.String("code", status),
	}
}

type cacheErrorLabels struct{ cache, reason string }

func (l cacheErrorLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("cache", l.cache), attribute.String("reason", l.reason)}
}

// itemCallLabels are the labels of the calls of reconciles.
type itemCallLabels struct{ controller, verb, resource string }

func (l itemCallLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("controller", l.controller), attribute.String("verb", l.verb),
		attribute.String("resource", l.resource),
	}
}

// writeLabels are the labels of the writes of reconciles.
type writeLabels struct{ controller, resource string }

func (l writeLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("controller", l.controller), attribute.String("resource", l.resource)}
}

// byteLabels are the labels of what reconciles send and receive.
type byteLabels struct{ controller, direction string }

func (l byteLabels) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("controller", l.controller), attribute.String("direction", l.direction)}
}
