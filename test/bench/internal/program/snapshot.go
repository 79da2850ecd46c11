// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// Snapshot is what a program has used since its process began.
type Snapshot struct {
	At         time.Time `json:"at"`
	CPU        float64   `json:"cpu"`        // seconds of user and system time, by the kernel's account
	Allocs     uint64    `json:"allocs"`     // objects allocated, tiny ones counted one by one
	Bytes      uint64    `json:"bytes"`      // bytes allocated
	Heap       uint64    `json:"heap"`       // bytes of objects in use, or not collected yet
	Resident   int64     `json:"resident"`   // bytes
	Goroutines int       `json:"goroutines"` // now
	Reconciles int64     `json:"reconciles"`
	Writes     int64     `json:"writes"`
	Conflicts  int64     `json:"conflicts"`
}

func (p *Probe) snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshotLocked()
}

func (p *Probe) snapshotLocked() Snapshot {
	cpu := cpuSeconds()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return Snapshot{
		At: time.Now(), CPU: cpu,
		Allocs: mem.Mallocs, Bytes: mem.TotalAlloc, Heap: mem.HeapAlloc,
		Resident: resident(), Goroutines: runtime.NumGoroutine(),
		Reconciles: p.reconciles, Writes: p.writes, Conflicts: p.conflicts,
	}
}

// settled is a snapshot after what is not in use has been given back to the system.
func (p *Probe) settled() Snapshot {
	runtime.GC() // twice: what has a finalizer goes with the second
	debug.FreeOSMemory()
	return p.snapshot()
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // cannot happen with these arguments
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// resident reads the process's resident memory, 0 where the system does not say.
func resident() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
