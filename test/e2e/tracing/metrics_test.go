// SPDX-License-Identifier: Apache-2.0

package tracing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/controller/tracing/semconv"
	"github.com/lanyard-k8s/lanyard/test/e2e/tracing/collector"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

const openMetrics = "application/openmetrics-text"

// family is a metric: its type and its labels.
type family struct {
	kind   string
	labels []string
}

var (
	typeLine   = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	sampleLine = regexp.MustCompile(`(?m)^(\w+)(?:\{([^}]*)\})? \S+`)
	labelName  = regexp.MustCompile(`(\w+)="`)
	tableRow   = regexp.MustCompile("(?m)^\\| `lanyard\\.[a-z._]+` \\| `([a-z_]+)` \\| (\\w+) \\| (s|By|) ?\\| (.*?) ?\\| .* \\|$")
)

// ofTheFramework returns what is served without the metrics of the Go runtime and of the process, which client_golang
// documents and which have to be there.
func ofTheFramework(t *testing.T, text string) string {
	t.Helper()
	var lines []string
	foreign := 0
	for line := range strings.Lines(text) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# TYPE "), "# HELP ")
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			foreign++
			continue
		}
		lines = append(lines, line)
	}
	if foreign == 0 {
		t.Error("there are no metrics of the runtime and the process")
	}
	return strings.Join(lines, "")
}

// served parses Prometheus's text form.
func served(text string) map[string]family {
	families := map[string]family{}
	for _, match := range typeLine.FindAllStringSubmatch(text, -1) {
		families[match[1]] = family{kind: match[2]}
	}
	for _, match := range sampleLine.FindAllStringSubmatch(text, -1) {
		name := match[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base := strings.TrimSuffix(name, suffix); families[base].kind == "histogram" {
				name = base
			}
		}
		f := families[name]
		for _, label := range labelName.FindAllStringSubmatch(match[2], -1) {
			if name := label[1]; !slices.Contains(f.labels, name) && name != "le" && !strings.HasPrefix(name, "otel_scope_") {
				f.labels = append(f.labels, name)
			}
		}
		slices.Sort(f.labels)
		families[name] = f
	}
	delete(families, "target_info")
	return families
}

func documented(t *testing.T) map[string]family {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]family{}
	for _, row := range tableRow.FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for label := range strings.SplitSeq(row[4], ", ") {
			if label != "" {
				labels = append(labels, strings.Trim(label, "`"))
			}
		}
		slices.Sort(labels)
		families[row[1]] = family{row[2], labels}
	}
	return families
}

func TestTheTableInTheDocsIsWhatTheSampleServes(t *testing.T) {
	e := newEnv(t)
	const flunders = 200
	for i := range flunders {
		e.create(fmt.Sprintf("f-%d", i))
	}
	proxy := shutdowntest.NewProxy(t, e.account())
	held := proxy.Add(stalledApply, shutdowntest.Stall())
	// The sample has connections enough and no rate limit, so only the server can hold it back.
	proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "flunders.wardle.example.com/status", First: 1}, shutdowntest.Answer(429, time.Second))
	p := e.sample(proxy.Config(), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collected.HTTP, "OTEL_SERVICE_NAME=" + e.service, "OTEL_METRIC_EXPORT_INTERVAL=200"},
		"-workers", fmt.Sprint(flunders), "-metrics-addr", "127.0.0.1:0", "-otlp-metrics", "-trace-ratio", "1",
		"-leader-elect", "-leader-elect-namespace", leases, "-leader-elect-identity", e.namespace)
	held.Await(90)
	p.takeLease()
	e.eventually("the term has ended", func() error {
		if text := p.scrape(""); !strings.Contains(text, `how="taken"`) {
			return errors.New("not yet")
		}
		return nil
	})
	held.Release()
	e.freeLease()
	e.awaitReason("f-7", v1beta1.ReasonRollingOut)

	// A reconcile is measured when it has ended, which is after its last write.
	e.eventually("a reconcile that wrote has been measured", func() error {
		if text := p.scrape(""); !strings.Contains(text, "lanyard_reconcile_writes_without_effect_total") {
			return errors.New("not yet")
		}
		return nil
	})
	text := ofTheFramework(t, p.scrape(""))
	got, want := served(text), documented(t)
	maps.Copy(got, servedWithShards(e))
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if w, ok := want[name]; !ok {
			t.Errorf("%s %+v is served, and not in docs/metrics.md", name, got[name])
		} else if fmt.Sprint(w) != fmt.Sprint(got[name]) {
			t.Errorf("%s is served as %v, and is %v in docs/metrics.md", name, got[name], w)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is in docs/metrics.md, and not served", name)
		}
	}
	if n := strings.Count(text, "\n"); n > 700 {
		t.Errorf("%d Flunders made %d series", flunders, n)
	}
	if strings.Contains(text, "f-7") || strings.Contains(text, e.namespace+`"`) && !strings.Contains(text, "service_") {
		t.Error("a label has the name of an object")
	}
	e.exemplars(p.scrape(openMetrics))
	e.eventually("metrics are pushed too", func() error {
		if collected.Metrics() == 0 {
			return errors.New("not yet")
		}
		return nil
	})
}

// servedWithShards returns what a replica serves that works on a share.
func servedWithShards(e *env) map[string]family {
	e.Helper()
	replica := e.sample(plane.Config(), nil, "-metrics-addr", "127.0.0.1:0", "-shards",
		"-leader-elect-namespace", leases, "-leader-elect-name", e.namespace, "-leader-elect-identity", e.namespace)
	e.eventually("it has all slots", func() error {
		if !strings.Contains(replica.scrape(""), "\nlanyard_sharding_slots{") {
			return errors.New("not yet")
		}
		return nil
	})
	families := served(replica.scrape(""))
	maps.DeleteFunc(families, func(name string, _ family) bool { return !strings.HasPrefix(name, "lanyard_sharding_") })
	return families
}

var exemplar = regexp.MustCompile(`(?m)^(\w+)_bucket\{.*# \{.*?span_id="(\w+)".*?trace_id="(\w+)"|^(\w+)_bucket\{.*# \{.*?trace_id="(\w+)".*?span_id="(\w+)"`)

// exemplars finds the spans that exemplars point at.
func (e *env) exemplars(text string) {
	e.Helper()
	seen := map[string]bool{}
	for _, match := range exemplar.FindAllStringSubmatch(text, -1) {
		name, span, trace := match[1]+match[4], match[2]+match[6], match[3]+match[5]
		seen[name] = true
		collected.Await(e, 1, "what an exemplar of "+name+" points at", func(s *collector.Span) bool { return e.mine(s) && s.ID() == span && s.Trace() == trace })
	}
	for _, name := range []string{"lanyard_reconcile_duration_seconds", "lanyard_api_call_duration_seconds"} {
		if !seen[name] {
			e.Errorf("%s has no exemplar", name)
		}
	}
}

func TestTheStandardVariableAloneSwitchesTracingOnInTheSample(t *testing.T) {
	e := newEnv(t)
	f := e.create("one")
	_, err := e.wardle.WardleV1beta1().Flunders(e.namespace).Patch(t.Context(), "one", types.MergePatchType, annotation(strangers), metav1.PatchOptions{})
	e.must(err)
	e.sample(e.account(), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collected.HTTP})
	spans := collected.Await(t, 1, "its reconcile, which is linked to a sampled trace", func(span *collector.Span) bool {
		return span.Value(semconv.AttrObjectUID) == string(f.UID)
	})
	if spans[0].Service != "flunder-controller" || len(spans[0].Links) != 1 {
		t.Errorf("the service is %q, the links are %v", spans[0].Service, spans[0].Links)
	}
}

// TestRecord writes what /metrics says twice a second while there is something to do, for test/dashboard.
func TestRecord(t *testing.T) {
	if *record == "" {
		t.Skip("without -record there is nothing to write")
	}
	e := newEnv(t)
	proxy := shutdowntest.NewProxy(t, e.account())
	p := e.sample(proxy.Config(), nil, "-workers", "120", "-metrics-addr", "127.0.0.1:0",
		"-leader-elect", "-leader-elect-namespace", leases, "-leader-elect-identity", e.namespace)
	file, err := os.Create(*record)
	e.must(err)
	encoder := json.NewEncoder(file)
	for tick := range 80 {
		e.must(encoder.Encode(map[string]any{"at": time.Now().UnixMilli(), "text": p.scrape("")}))
		switch tick {
		case 10, 22:
			for i := range 120 {
				e.create(fmt.Sprintf("f-%d-%d", tick, i))
			}
		case 36:
			proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "deployments.apps", First: 40}, shutdowntest.Answer(503, 0))
			proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "deployments.apps", First: 300}, shutdowntest.Delay(700*time.Millisecond))
			for i := range 200 {
				e.create(fmt.Sprintf("slow-%d", i))
			}
		case 44:
			p.takeLease()
		case 48:
			e.freeLease()
		}
		time.Sleep(500 * time.Millisecond)
	}
	e.must(file.Close())
}
