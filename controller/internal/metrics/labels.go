package metrics

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// labelSet is a set of labels as OpenTelemetry takes it, ready for use.
type labelSet struct {
	option metric.MeasurementOption
	record []metric.RecordOption // the same; a slice made for each record would be an allocation
}

// labelSets has the sets of labels that have been used, by what they are made of. The zero value is empty.
type labelSets[K comparable] struct {
	mu    sync.RWMutex
	known map[K]labelSet
}

// get returns the set for a key, which is made once.
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

// label makes sets of one label.
func label(name string) func(string) []attribute.KeyValue {
	return func(value string) []attribute.KeyValue { return []attribute.KeyValue{attribute.String(name, value)} }
}
