// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"go.opentelemetry.io/otel"
)

func TestWhatTheSDKSaysIsInTheLogOfTheProgram(t *testing.T) {
	var lines []string
	New().SetLogger(funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	otel.Handle(errors.New("the collector is away"))
	if len(lines) != 1 || !strings.Contains(lines[0], "the collector is away") {
		t.Errorf("the log has %q", lines)
	}
}
