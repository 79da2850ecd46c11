// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The annotations that the workloads use.
const (
	TokenAnnotation = "bench.example/token" // who has written the object, and how often: token/count
	SentAnnotation  = "bench.example/sent"  // when the benchmark changed the object, in nanoseconds
)

// The events that a program tells of.
const (
	EventFirst  = "first"  // the first reconcile has begun
	EventDone   = "done"   // all objects are as they are to be
	EventMemory = "memory" // what is in use after a collection
	EventSample = "sample" // on request
	EventEnd    = "end"    // everything has returned
)

// The commands that a program obeys.
const (
	CommandMemory = "memory"
	CommandSample = "sample"
	CommandEnd    = "end"
)

// Event is what a program tells the benchmark.
type Event struct {
	Name     string          `json:"event"`
	Snapshot Snapshot        `json:"snapshot"`
	Returned []time.Duration `json:"returned,omitempty"` // of live calls, since the end was asked for
	Late     int             `json:"late,omitempty"`     // live calls begun after that
	Heard    []Heard         `json:"heard,omitempty"`    // of objects that the benchmark changed
}

// Heard is one change by the benchmark that reached a reconcile.
type Heard struct {
	Object string        `json:"object"`
	Sent   int64         `json:"sent"`
	After  time.Duration `json:"after"`
}

// Probe counts what a program does. The reconcilers tell it; its cost is the same in each of them.
type Probe struct {
	settings *Settings

	outMu sync.Mutex
	out   *json.Encoder

	mu         sync.Mutex
	reconciles int64
	writes     int64
	conflicts  int64
	finished   map[string]struct{}
	sent       map[string]int64
	heard      []Heard
	first      bool
	done       bool
	ended      time.Time
	returned   []time.Time // calls that had begun before the end
	late       int         // calls that began after it
}

func newProbe(s *Settings, out io.Writer) *Probe {
	return &Probe{settings: s, out: json.NewEncoder(out), finished: make(map[string]struct{}, s.Objects), sent: map[string]int64{}}
}

// Seen is told the object of each reconcile, as it is in the cache. It returns the value of the token
// annotation that the reconcile is to write, or "" if there is nothing to write.
func (p *Probe) Seen(object metav1.Object) (write string) {
	now := time.Now()
	annotations := object.GetAnnotations()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reconciles++
	if !p.first {
		p.first = true
		p.emit(Event{Name: EventFirst, Snapshot: p.snapshotLocked()})
	}
	p.hear(object.GetName(), annotations[SentAnnotation], now)
	if p.settings.Target > 0 {
		token, text, _ := strings.Cut(annotations[TokenAnnotation], "/")
		count, err := strconv.Atoi(text)
		if token != p.settings.Token || err != nil {
			count = 0
		}
		if count < p.settings.Target {
			return p.settings.Token + "/" + strconv.Itoa(count+1)
		}
	}
	p.finish(object.GetName())
	return ""
}

func (p *Probe) finish(name string) {
	if p.done || p.settings.Objects == 0 {
		return
	}
	p.finished[name] = struct{}{}
	if len(p.finished) >= p.settings.Objects {
		p.done = true
		p.emit(Event{Name: EventDone, Snapshot: p.snapshotLocked()})
	}
}

func (p *Probe) hear(name, sent string, now time.Time) {
	if sent == "" {
		return
	}
	at, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || p.sent[name] == at {
		return
	}
	p.sent[name] = at
	p.heard = append(p.heard, Heard{Object: name, Sent: at, After: time.Duration(now.UnixNano() - at)})
}

// Wrote is told the result of each write, and returns its error.
func (p *Probe) Wrote(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.writes++
	case apierrors.IsConflict(err):
		p.conflicts++
	}
	return err
}

// Calling is told when a live call begins. What it returns is told the call's error when it has returned, and
// returns that.
func (p *Probe) Calling() (returned func(error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := !p.ended.IsZero()
	return func(err error) error {
		now := time.Now()
		p.mu.Lock()
		defer p.mu.Unlock()
		if late {
			p.late++
		} else {
			p.returned = append(p.returned, now)
		}
		return err
	}
}

// Work takes the time that the workload says each reconcile takes.
func (p *Probe) Work(ctx context.Context) error {
	if p.settings.Work == 0 {
		return nil
	}
	timer := time.NewTimer(p.settings.Work)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end ends the root context and notes when.
func (p *Probe) end(cancel context.CancelCauseFunc) {
	p.mu.Lock()
	if p.ended.IsZero() {
		p.ended = time.Now()
	}
	p.mu.Unlock()
	cancel(errAsked)
}

func (p *Probe) returns() (after []time.Duration, late int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.returned {
		after = append(after, at.Sub(p.ended))
	}
	return after, p.late
}

// obey does what the benchmark says, and ends the program when the benchmark is gone.
func (p *Probe) obey(commands *bufio.Scanner, cancel context.CancelCauseFunc) {
	defer p.end(cancel)
	for commands.Scan() {
		switch command := commands.Text(); command {
		case CommandMemory:
			p.emit(Event{Name: EventMemory, Snapshot: p.settled()})
		case CommandSample:
			p.mu.Lock()
			event := Event{Name: EventSample, Snapshot: p.snapshotLocked(), Heard: p.heard}
			p.heard = nil
			p.mu.Unlock()
			p.emit(event)
		case CommandEnd:
			return
		default:
			fmt.Println("unknown command", command) // is no event, which the benchmark will not like
		}
	}
}

func (p *Probe) emit(event Event) {
	p.outMu.Lock()
	defer p.outMu.Unlock()
	_ = p.out.Encode(event) // if nobody reads it, obey ends the program
}
