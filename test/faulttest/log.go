// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
)

// sink is the log of a program. It keeps errors, and what Lanyard tells there of the ends of reconciles.
type sink struct {
	tape   *tape
	values []any
}

// Init does nothing.
func (s *sink) Init(logr.RuntimeInfo) {}

// Enabled is for all that Lanyard says of reconciles.
func (s *sink) Enabled(level int) bool { return level <= 2 }

// Info looks for the end of a reconcile.
func (s *sink) Info(_ int, _ string, values ...any) { s.ended(values) }

// Error keeps the error.
func (s *sink) Error(err error, message string, values ...any) {
	s.tape.logged(fmt.Sprintf("%s: %v", message, err))
	s.ended(values)
}

// WithValues adds values to all lines.
func (s *sink) WithValues(values ...any) logr.LogSink {
	return &sink{tape: s.tape, values: append(slices.Clip(s.values), values...)}
}

// WithName does nothing.
func (s *sink) WithName(string) logr.LogSink { return s }

func (s *sink) ended(values []any) {
	all := append(slices.Clip(s.values), values...)
	end := outcome{at: time.Now()}
	for i := 0; i+1 < len(all); i += 2 {
		switch all[i] {
		case "object":
			end.object = fmt.Sprint(all[i+1])
		case "result":
			end.result = fmt.Sprint(all[i+1])
		}
	}
	if end.result != "" && end.object != "" {
		s.tape.reconciled(end)
	}
}
