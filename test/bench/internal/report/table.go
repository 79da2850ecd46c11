// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Titles name workloads by their IDs, in their order.
type Titles []struct{ ID, Title string }

// Table writes, for each workload, the median of each figure over all rounds. Beside it stands, for the
// programs but the first, the median of the ratios to the first within a round, and in brackets the least and
// the greatest of these ratios.
func Table(w io.Writer, titles Titles, programs []string, results []Result) {
	for _, title := range titles {
		var of []Result
		for _, r := range results {
			if r.Workload == title.ID {
				of = append(of, r)
			}
		}
		if len(of) > 0 {
			fmt.Fprintf(w, "\n**%s: %s**%s\n\n", title.ID, title.Title, rounds(of))
			writeRows(w, rows(programs, of))
		}
	}
}

func rounds(of []Result) string {
	n := 0
	for _, r := range of {
		n = max(n, r.Round)
	}
	if n == 1 {
		return " (1 round)"
	}
	return fmt.Sprintf(" (%d rounds)", n)
}

func rows(programs []string, of []Result) [][]string {
	table := [][]string{append([]string{""}, programs...)}
	table = append(table, slices.Repeat([]string{"---"}, len(programs)+1))
	names, plain := figureNames(of)
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		row := []string{name}
		for i, program := range programs {
			row = append(row, cell(of, name, program, programs[0], i > 0 && !plain[name]))
		}
		table = append(table, row)
	}
	return table
}

func figureNames(of []Result) (names []string, plain map[string]bool) {
	plain = map[string]bool{}
	for _, r := range of {
		for _, f := range r.Figures {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
			plain[f.Name] = f.Bare
		}
	}
	return names, plain
}

func cell(of []Result, name, program, base string, compare bool) string {
	values := byRound(of, program, name)
	if len(values) == 0 {
		for _, r := range of {
			if r.Program == program && r.Missing != "" {
				return r.Missing
			}
		}
		return ""
	}
	text := number(Median(valuesOf(values)))
	if ratios := Ratios(of, name, program, base); compare && len(ratios) > 0 {
		text += fmt.Sprintf(" · **%sx**", ratio(Median(ratios)))
		if len(ratios) > 1 {
			text += fmt.Sprintf(" (%s–%s)", ratio(slices.Min(ratios)), ratio(slices.Max(ratios)))
		}
	}
	return text
}

// Ratios are those of a program's figure to the base's, round by round.
func Ratios(of []Result, name, program, base string) []float64 {
	var ratios []float64
	bases := byRound(of, base, name)
	for round, value := range byRound(of, program, name) {
		if b := bases[round]; b > 0 {
			ratios = append(ratios, value/b)
		}
	}
	return ratios
}

func byRound(of []Result, program, name string) map[int]float64 {
	values := map[int]float64{}
	for _, r := range of {
		for _, f := range r.Figures {
			if r.Program == program && f.Name == name {
				values[r.Round] = f.Value
			}
		}
	}
	return values
}

func valuesOf(m map[int]float64) []float64 {
	var values []float64
	for _, v := range m {
		values = append(values, v)
	}
	return values
}

func ratio(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// number has three digits that count.
func number(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// writeRows writes Markdown that is readable as it stands.
func writeRows(w io.Writer, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, text := range row {
			widths[i] = max(widths[i], len([]rune(text)))
		}
	}
	for _, row := range table {
		for i, text := range row {
			pad := " "
			if text == "---" {
				text, pad = strings.Repeat("-", cmp.Or(widths[i], 3)), ""
				text = "-" + text + "-"
			}
			fmt.Fprintf(w, "|%s%s%s%s", pad, text, strings.Repeat(" ", max(0, widths[i]-len([]rune(text)))), pad)
		}
		fmt.Fprintln(w, "|")
	}
}
