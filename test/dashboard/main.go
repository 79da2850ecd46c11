// SPDX-License-Identifier: Apache-2.0

// Dashboard draws config/grafana/lanyard.json without Grafana: it evaluates the panels' queries with Prometheus's
// engine on what test/e2e/tracing has scraped from a run, and draws the results where the panels are.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
)

func main() {
	var (
		file    = flag.String("dashboard", "../../config/grafana/lanyard.json", "the dashboard")
		record  = flag.String("record", "", "what test/e2e/tracing's TestRecord has written")
		picture = flag.String("picture", "", "the SVG file to write")
	)
	flag.Parse()
	if err := run(context.Background(), *file, *record, *picture); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, record, picture string) error {
	d, err := load(file)
	if err != nil {
		return err
	}
	recorded, err := readRecord(record)
	if err != nil {
		return err
	}
	svg, err := draw(ctx, d, recorded)
	if err != nil {
		return err
	}
	return os.WriteFile(picture, []byte(svg), 0o644)
}
