// SPDX-License-Identifier: Apache-2.0

// Package term holds one term of leadership: until when it is valid, how it ended, and the
// contexts that end with it.
package term

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Config describes a term that begins.
type Config struct {
	// Term is the term as users see it. [New] sets Began.
	cause.Term

	// Validity is how long the term is valid after the moment in which a renewal was sent: the
	// duration of the lease less the margin.
	Validity time.Duration

	// Clock tells how long the term is valid. Required.
	Clock Clock

	// Cause is the cause of the end. Nil: [cause.LeadershipLost].
	Cause *cause.Cause

	// Within is the term whose part this one is: it is valid only while that one is, and ends in the same
	// instant. Validity and Clock are those of Within. Nil: the term stands by itself.
	Within *Term

	// Ended is called once, with the term's error, when the term ends. Neither [Term.End] nor
	// [Term.Check] returns before it has returned. It must return at once and must not use the
	// term; a context's cancel function is meant. Nil: nothing is called.
	Ended func(err error)
}

// Term is leadership from one acquisition of the lease to its end. Once it has ended, nothing
// revives it: a renewal that is answered late does not, even if the lease still names this process.
// All methods may be called from several goroutines at once.
type Term struct {
	Config

	ctx        context.Context //ctxvet:ok ctxfield: a term is the life of its contexts
	lost       context.Context
	cancel     context.CancelCauseFunc
	cancelLost context.CancelCauseFunc
	validUntil atomic.Int64 // nanoseconds of Clock

	mu    sync.Mutex
	timer *time.Timer // nil for a part
	err   error
	how   cause.TermEnd // with err
	ended atomic.Bool   // err is set
	parts map[*Term]struct{}
}

// New begins a term. sent is the moment, by config.Clock, in which the request was sent that
// acquired the lease. parent is the parent of [Term.Context]. A term that is over already when it
// begins has ended when New returns.
func New(parent context.Context, config Config, sent time.Duration) *Term {
	t := newTerm(parent, config)
	t.validUntil.Store(int64(sent + config.Validity))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(max(0, t.Remaining()), t.expire)
	if t.Remaining() <= 0 {
		t.endExpired()
	}
	return t
}

// NewPart begins a term within config.Within.
func NewPart(parent context.Context, config Config) *Term {
	whole := config.Within
	config.Validity = whole.Validity
	config.Clock = whole.Clock
	t := newTerm(parent, config)
	whole.mu.Lock()
	defer whole.mu.Unlock()
	if whole.err != nil {
		t.endWith(whole)
		return t
	}
	if whole.parts == nil {
		whole.parts = map[*Term]struct{}{}
	}
	whole.parts[t] = struct{}{}
	return t
}

func newTerm(parent context.Context, config Config) *Term {
	t := &Term{Config: config}
	t.Began = time.Now()
	t.ctx, t.cancel = context.WithCancelCause(parent)
	t.lost, t.cancelLost = context.WithCancelCause(context.WithoutCancel(parent))
	return t
}

// Whole returns the term whose part this one is, or the term itself.
func (t *Term) Whole() *Term {
	if t.Within != nil {
		return t.Within
	}
	return t
}

// Context returns the context for everything that needs this term. It ends with the term and with
// its parent.
func (t *Term) Context() context.Context { return t.ctx }

// Lost returns a context that has the values of Context's parent and ends only with the term. It
// is for work that may continue after the parent has ended, but not after the term has.
func (t *Term) Lost() context.Context { return t.lost }

// Remaining returns how long the term is valid if it is not renewed. It is zero or less when its
// time is over. It does not say whether the term has ended for another reason; see [Term.Check].
func (t *Term) Remaining() time.Duration {
	if t.Within != nil {
		return t.Within.Remaining()
	}
	return time.Duration(t.validUntil.Load()) - t.Clock()
}

// Check returns nil while the term is valid, and then the reason for its end. It is called before
// each write. When the clock says that the term's time is over, Check ends the term itself: the
// timer may be late, for example after the machine was suspended.
func (t *Term) Check() error {
	if !t.ended.Load() {
		if t.Remaining() > 0 {
			return nil
		}
		t.Whole().expire()
	}
	return t.Err()
}

// Err returns why the term has ended, or nil. The error is Config.Cause with a [*cause.TermEnded] as its
// detail.
func (t *Term) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// After reports whether the term began after the state of the lease that has this resourceVersion.
// It returns false where the two cannot be compared.
func (t *Term) After(resourceVersion string) bool {
	order, err := resourceversion.CompareResourceVersion(resourceVersion, t.ResourceVersion)
	return err == nil && order < 0
}

// Extend makes the term valid for Config.Validity after sent, the moment in which a renewal was
// sent that has succeeded. A term that has ended, or whose time is over, is not extended.
func (t *Term) Extend(sent time.Duration) {
	if t.Check() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.validUntil.Store(max(t.validUntil.Load(), int64(sent+t.Validity)))
	t.timer.Reset(max(0, t.Remaining()))
}

// End ends the term and its contexts. detail is for people and may be empty. Only the first end
// counts; when End returns, the contexts have ended whoever was first.
func (t *Term) End(how cause.TermEnd, detail string) {
	t.mu.Lock()
	t.end(how, detail)
	t.mu.Unlock()
	if t.Within != nil {
		t.Within.forget(t)
	}
}

func (t *Term) forget(part *Term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.parts, part)
}

// endWith ends a part because the whole has ended. whole.mu must be held.
func (t *Term) endWith(whole *Term) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(whole.how, "")
}

// expire ends the term if its time is over by the clock. The timer calls it, and starts again if
// it was early: it runs by another clock.
func (t *Term) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	if left := t.Remaining(); left > 0 {
		t.timer.Reset(left)
		return
	}
	t.endExpired()
}

// endExpired ends a term whose time is over. t.mu must be held.
func (t *Term) endExpired() {
	ago := (t.Validity - t.Remaining()).Round(time.Millisecond)
	t.end(cause.TermExpired, fmt.Sprintf("the last renewal that succeeded was sent %v ago", ago))
}

// end ends the term. t.mu must be held: it stays locked until the contexts have ended, so that
// nobody learns of the end while a context of the term is still alive.
func (t *Term) end(how cause.TermEnd, detail string) {
	if t.err != nil {
		return
	}
	t.err = cmp.Or(t.Cause, cause.LeadershipLost).With(&cause.TermEnded{
		Term: t.Config.Term, How: how, Detail: detail, At: time.Now(),
	})
	t.how = how
	t.ended.Store(true)
	if t.timer != nil {
		t.timer.Stop()
	}
	for part := range t.parts { // first, so that whoever sees the end of the whole sees theirs
		part.endWith(t)
	}
	t.cancelLost(t.err) // first, so that whoever sees Context ended can tell whether this is why
	t.cancel(t.err)
	if t.Ended != nil {
		t.Ended(t.err)
	}
}
