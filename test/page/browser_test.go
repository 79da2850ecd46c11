// SPDX-License-Identifier: Apache-2.0

// Package page_test looks at the page of a running manager in a real browser.
package page_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a tab, and what its console has said.
type browser struct {
	testing.TB
	ctx context.Context

	mu       sync.Mutex
	errors   []string
	expected string // what the console may complain of; empty: nothing
}

// open opens an address in a browser of its own. A console error fails the test at its end.
func open(t testing.TB, address string, width, height int) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("the tests of the page need chromium: apt-get install chromium: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(width, height))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium's sandbox refuses root
	}
	ctx, cancelAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	b := &browser{TB: t, ctx: ctx}
	var listening sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		cancelAllocator()
		listening.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.errors {
			if b.expected == "" || !strings.Contains(text, b.expected) {
				t.Errorf("the console says: %s", text)
			}
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	listening.Go(func() { b.note(messages) })
	b.do(chromedp.Navigate(address))
	return b
}

// note keeps what is wrong by the browser's console.
func (b *browser) note(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return // the browser is gone
		}
		switch m.Type {
		case chromedp.ConsoleException, chromedp.ConsoleError, chromedp.ConsoleWarning:
			b.mu.Lock()
			b.errors = append(b.errors, fmt.Sprint(m))
			b.mu.Unlock()
		}
	}
}

// expect allows complaints of the console that contain a text, whenever they come: a console message may arrive after
// the answer to the call that caused it.
func (b *browser) expect(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = text
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// eval returns the value of an expression in the page.
func eval[T any](b *browser, expression string) (value T) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal(err)
	}
	return value
}

// await waits until an expression in the page is true.
func (b *browser) await(what, expression string) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if eval[bool](b, "!!("+expression+")") {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("not so within a minute: %s\n%s", what, eval[string](b, "document.body.innerText"))
		}
	}
}
