// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes lines that fit a terminal as well as a log file.
type progress struct {
	w     io.Writer
	every time.Duration // between two lines about the same thing
	mu    sync.Mutex
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "control plane: "+format+"\n", args...)
}

// during says what is being done, runs f, and repeats with the time elapsed
// until f returns.
func (p *progress) during(what string, f func() error) error {
	p.say("%s", what)
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() { p.tick(what, stop) })
	defer ticking.Wait()
	defer close(stop)
	return f()
}

func (p *progress) tick(what string, stop <-chan struct{}) {
	began := time.Now()
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			p.say("%s: %s elapsed", what, time.Since(began).Round(time.Second))
		}
	}
}
