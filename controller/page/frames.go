// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// frames makes one picture in each interval, for all who want it. Nothing is made while nobody does.
type frames struct {
	snapshot func() any
	interval time.Duration

	mu   sync.Mutex
	made time.Time
	last []byte
}

// now returns a snapshot as JSON. It may be as old as an interval, less a part of it, so that viewers whose clocks
// tick a moment apart share one.
func (f *frames) now() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.made.IsZero() && time.Since(f.made) < f.interval*9/10 {
		return f.last, nil
	}
	encoded, err := json.Marshal(f.snapshot())
	if err != nil {
		return nil, err
	}
	f.last = encoded
	f.made = time.Now()
	return encoded, nil
}

// forget drops the last frame, so that it takes no memory while nobody looks.
func (f *frames) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = nil
	f.made = time.Time{}
}

// viewers counts who follows the page.
type viewers struct {
	mu sync.Mutex
	n  int
}

// enter reports whether there is room for one more. leave must follow then.
func (v *viewers) enter(limit int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.n >= limit {
		return false
	}
	v.n++
	return true
}

// leave reports whether nobody is left.
func (v *viewers) leave() (last bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.n--
	return v.n == 0
}

// viewTime is after which time a viewer has to ask again, so that who may look is asked again too. A browser does it
// by itself.
const viewTime = 10 * time.Minute

// sendEvents writes a frame in each interval, until the viewer goes away or is too slow.
func sendEvents(w http.ResponseWriter, r *http.Request, f *frames, slow time.Duration) {
	control := http.NewResponseController(w)
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	over := time.NewTimer(viewTime)
	defer over.Stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	for {
		frame, err := f.now()
		if err != nil {
			return
		}
		// A server that cannot set a limit has to have one of its own.
		_ = control.SetWriteDeadline(time.Now().Add(slow))
		for _, part := range [][]byte{[]byte("data: "), frame, []byte("\n\n")} {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-over.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}
