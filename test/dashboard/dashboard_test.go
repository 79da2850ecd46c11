// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

const file = "../../config/grafana/lanyard.json"

var tableRow = regexp.MustCompile("(?m)^\\| `lanyard\\.[a-z._]+` \\| `([a-z_]+)` \\| (\\w+) \\| (s|By|) ?\\| (.*?) ?\\| .* \\|$")

// documented is the table of docs/metrics.md, which test/e2e/tracing compares with what the sample serves: names of
// series, and their labels.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	series := map[string][]string{}
	for _, row := range tableRow.FindAllStringSubmatch(string(text), -1) {
		var names []string
		for name := range strings.SplitSeq(row[4], ", ") {
			names = append(names, strings.Trim(name, "`"))
		}
		if row[2] != "histogram" {
			series[row[1]] = names
			continue
		}
		series[row[1]+"_bucket"] = append(slices.Clone(names), "le")
		series[row[1]+"_sum"], series[row[1]+"_count"] = names, names
	}
	if len(series) == 0 {
		t.Fatal("there is no table in docs/metrics.md")
	}
	return series
}

func TestEveryMetricAndLabelInTheDashboardIsServedAndEveryMetricIsShown(t *testing.T) {
	d, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	served, shown := documented(t), map[string]bool{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(target.Expr))
			if err != nil {
				t.Errorf("panel %q: %s: %v", p.Title, target.Expr, err)
				continue
			}
			var selected []string // labels that the series below have
			parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
				if selector, ok := node.(*parser.VectorSelector); ok {
					known, ok := served[selector.Name]
					if !ok {
						t.Errorf("panel %q: there is no %s", p.Title, selector.Name)
					}
					shown[strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(selector.Name, "_bucket"), "_sum"), "_count")] = true
					selected = append(selected, known...)
					for _, m := range selector.LabelMatchers {
						if m.Name != metricName && !slices.Contains(known, m.Name) {
							t.Errorf("panel %q: %s has no label %q", p.Title, selector.Name, m.Name)
						}
					}
				}
				return nil
			})
			var grouped []string
			parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
				if aggregate, ok := node.(*parser.AggregateExpr); ok {
					grouped = append(grouped, aggregate.Grouping...)
				}
				return nil
			})
			for _, name := range inLegend.FindAllString(target.LegendFormat, -1) {
				if name = strings.Trim(name, "{} "); !slices.Contains(grouped, name) {
					t.Errorf("panel %q: the legend has %q, which the query does not keep", p.Title, name)
				}
			}
			for _, name := range grouped {
				if !slices.Contains(selected, name) {
					t.Errorf("panel %q: grouped by %q, which the series do not have", p.Title, name)
				}
			}
		}
	}
	for name := range served {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !shown[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

func TestTheDashboardIsOneThatGrafanaLoads(t *testing.T) {
	d, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	if d.SchemaVersion < 36 || d.Title == "" || d.UID == "" || len(d.UID) > 40 {
		t.Errorf("schema version %d, title %q, uid %q", d.SchemaVersion, d.Title, d.UID)
	}
	var raw map[string]any
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &raw) != nil || raw["id"] != nil {
		t.Errorf("%v; the id is %v, and has to be null for an import", err, raw["id"])
	}
	if len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Query != "prometheus" {
		t.Errorf("the first variable is not the data source: %+v", d.Templating.List)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("panel %q has the id %d, as another has", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q is at %+v", p.Title, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Errorf("panels %q and %q lie upon each other", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if target.RefID == "" || refs[target.RefID] || target.Expr == "" || target.Datasource == nil || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q has the target %+v", p.Title, target)
			}
			refs[target.RefID] = true
		}
		if len(p.Targets) == 0 || p.Datasource == nil || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q has no queries, or not the variable's data source", p.Title)
		}
	}
}
