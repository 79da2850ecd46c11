// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkOnePersonLooks says what part of a core the program needs while a browser shows its page, with a thousand
// reconciles in flight, and what it needs when nobody looks. The browser is another process.
func BenchmarkOnePersonLooks(b *testing.B) {
	w := start(b, 1000, time.Hour, true)
	w.add(1000)
	time.Sleep(2 * time.Second)
	const during = 5 * time.Second
	for b.Loop() {
		b.ReportMetric(100*used(b, during), "%core/nobody")
		looking := open(b, w.address, 1200, 900)
		looking.await("all are counted", `document.getElementById("tree").innerText.includes("1000 of 1000 workers busy")`)
		b.ReportMetric(100*used(b, during), "%core/looking")
	}
}

// used returns how much of a core this process uses during a time.
func used(b *testing.B, during time.Duration) float64 {
	b.Helper()
	before := cpu(b)
	time.Sleep(during)
	return float64(cpu(b)-before) / float64(during)
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
