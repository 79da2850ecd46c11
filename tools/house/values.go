// SPDX-License-Identifier: Apache-2.0

package house

import "slices"

// quantile returns a quantile of numbers; 0 if there are none.
func quantile(numbers []int, q float64) int {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func per(n, of, base int) float64 { return float64(n) * float64(base) / float64(max(1, of)) }

// Values returns the numbers by the names that limits use.
func (m Measures) Values() map[string]float64 {
	long := 0
	for _, n := range m.FunctionLines {
		if n > 80 {
			long++
		}
	}
	return map[string]float64{
		"files":              float64(len(m.FileLines)),
		"file-median":        float64(quantile(m.FileLines, .5)),
		"file-p90":           float64(quantile(m.FileLines, .9)),
		"file-max":           float64(quantile(m.FileLines, 1)),
		"function-median":    float64(quantile(m.FunctionLines, .5)),
		"function-p90":       float64(quantile(m.FunctionLines, .9)),
		"function-max":       float64(quantile(m.FunctionLines, 1)),
		"functions-over-80":  float64(long),
		"width-p90":          float64(quantile(m.Widths, .9)),
		"width-max":          float64(quantile(m.Widths, 1)),
		"comments":           per(m.CommentLines, m.CodeLines, 1),
		"parallel":           per(m.Parallel, m.CodeLines, 1_000),
		"contexts-in-fields": per(m.Contexts, m.CodeLines, 10_000),
		"goroutines":         float64(m.Goroutines),
		"variables":          float64(m.Variables),
	}
}
