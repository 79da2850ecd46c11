// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAJSONLogHasLevelsThatLogStoresKnow(t *testing.T) {
	var log bytes.Buffer
	logger, err := newLogger("json", 5, &log)
	if err != nil {
		t.Fatal(err)
	}
	logger = logger.WithName("name").WithValues("key", "value")
	for verbosity := range 7 { // the last is not asked for
		logger.V(verbosity).Info("line")
	}
	logger.V(3).Error(errors.New("broken"), "line")

	want := []struct {
		level string
		v     any
	}{{"INFO", nil}, {"DEBUG", 1.}, {"DEBUG", 2.}, {"DEBUG", 3.}, {"DEBUG", 4.}, {"DEBUG", 5.}, {"ERROR", nil}}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), &log)
	}
	for i, line := range lines {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if record["level"] != want[i].level || record["v"] != want[i].v || record["msg"] != "line" || record["key"] != "value" {
			t.Errorf("want the level %s and v %v: %s", want[i].level, want[i].v, line)
		}
	}
}
