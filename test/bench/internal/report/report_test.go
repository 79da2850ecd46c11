// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheTableHasMediansAndRatiosWithinRounds(t *testing.T) {
	var results []Result
	for round, values := range [][2]float64{{1, 2}, {2, 2}, {10, 30}} {
		for i, program := range []string{"bare", "other"} {
			r := Result{Workload: "W1", Program: program, Round: round + 1}
			r.Add("CPU s", values[i])
			results = append(results, r)
		}
	}
	results = append(results, Result{Workload: "W1", Program: "third", Round: 1, Missing: "not yet"})
	var out bytes.Buffer
	Table(&out, Titles{{"W1", "start"}}, []string{"bare", "other", "third"}, results)
	for _, want := range []string{"**W1: start** (3 rounds)", "| CPU s | 2.00 | 2.00 · **2.00x** (1.00–3.00) | not yet |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, out.String())
		}
	}
}

func TestPercentilesAreValuesThatOccurred(t *testing.T) {
	for _, c := range []struct {
		values []float64
		p      int
		want   float64
	}{{nil, 50, 0}, {[]float64{1}, 99, 1}, {[]float64{1, 2}, 50, 1}, {[]float64{1, 2}, 99, 2}, {[]float64{1, 2, 3}, 50, 2}} {
		if got := Percentile(c.values, c.p); got != c.want {
			t.Errorf("percentile %d of %v is %v, want %v", c.p, c.values, got, c.want)
		}
	}
}
