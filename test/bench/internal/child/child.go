// SPDX-License-Identifier: Apache-2.0

// Package child starts a program under test, talks to it, and waits for its end.
package child

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// Child is a running program.
type Child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	events chan program.Event
	done   chan struct{}
	err    error
}

// Start starts the program at path. What it logs goes to the file log.
func Start(path, log string, args ...string) (*Child, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c := &Child{cmd: exec.Command(path, args...), events: make(chan program.Event, 64), done: make(chan struct{})}
	c.cmd.Stderr = file
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go c.listen(out)
	return c, nil
}

func (c *Child) listen(out io.Reader) {
	defer close(c.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	var errs []error
	for lines.Scan() {
		var event program.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			errs = append(errs, fmt.Errorf("the program said %q", lines.Text()))
			continue
		}
		c.events <- event
	}
	errs = append(errs, lines.Err(), c.cmd.Wait())
	c.err = errors.Join(errs...)
	close(c.events)
}

// Await waits for an event and drops those before it.
func (c *Child) Await(ctx context.Context, name string, limit time.Duration) (program.Event, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s: no event %q within %v", c.cmd.Path, name, limit))
	defer cancel()
	for {
		select {
		case event, ok := <-c.events:
			switch {
			case !ok && c.err != nil:
				return event, c.err
			case !ok:
				return event, fmt.Errorf("%s ended before the event %q", c.cmd.Path, name)
			case event.Name == name:
				return event, nil
			}
		case <-ctx.Done():
			return program.Event{}, context.Cause(ctx)
		}
	}
}

// Ask sends a command and waits for the event that answers it, which has the same name.
func (c *Child) Ask(ctx context.Context, command string) (program.Event, error) {
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		return program.Event{}, err
	}
	return c.Await(ctx, command, time.Minute)
}

// End has the program end in order, and returns its last event.
func (c *Child) End(ctx context.Context) (program.Event, error) {
	last, err := c.Ask(ctx, program.CommandEnd)
	return last, errors.Join(err, c.Wait(ctx))
}

// Signal sends the process a signal.
func (c *Child) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Wait waits until the program has ended by itself, or kills it.
func (c *Child) Wait(ctx context.Context) error {
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		select {
		case _, ok := <-c.events:
			if !ok {
				return c.err
			}
		case <-limit.C:
			c.Kill()
			return fmt.Errorf("%s had to be killed", c.cmd.Path)
		case <-ctx.Done():
			c.Kill()
			return context.Cause(ctx)
		}
	}
}

// Ended waits until the program has ended, which it does by itself after its last event, and returns its error.
func (c *Child) Ended() error {
	<-c.done
	return c.err
}

// Kill ends the program, if it has not ended, and waits for that.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill() // it may be gone already
	for range c.events {
		continue // until it has been reaped
	}
	<-c.done
}
