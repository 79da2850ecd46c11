// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Reading is what the API server says about itself on /metrics.
type Reading struct {
	CPU      float64 // seconds of its process
	Requests float64 // for the resources that programs under test use, whoever made them
}

// Sub is what was used since an earlier reading.
func (r Reading) Sub(before Reading) Reading {
	return Reading{CPU: r.CPU - before.CPU, Requests: r.Requests - before.Requests}
}

// served finds requests of the programs' kinds; the server's own use of ConfigMaps is a few watches.
var served = regexp.MustCompile(`^apiserver_request_total\{.*resource="(configmaps|flunders|leases|events)"`)

// Read asks the API server.
func (p *Plane) Read(ctx context.Context) (Reading, error) {
	data, err := p.Kube.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return Reading{}, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return parse(data)
}

func parse(data []byte) (Reading, error) {
	var r Reading
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		var sum *float64
		switch {
		case strings.HasPrefix(line, "process_cpu_seconds_total "):
			sum = &r.CPU
		case served.MatchString(line):
			sum = &r.Requests
		default:
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return Reading{}, fmt.Errorf("read the metric %q: %w", line, err)
		}
		*sum += value
	}
	return r, lines.Err()
}
