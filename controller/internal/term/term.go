// Package term keeps one term of leadership: until when it is valid, how it ended, and the contexts
// that end with it.
package term

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Config is what a term is made of.
type Config struct {
	Lease  string // namespace and name
	Holder string
	Number int
	// ResourceVersion is the lease's, as this process took it.
	ResourceVersion string
	// Length is how long a renewal holds from the moment it was sent: the lease's duration less a margin.
	Length time.Duration
	Clock  Clock
}

// Term is leadership from one acquisition of the lease to its end. Once it has ended, nothing revives
// it: a renewal that is answered late does not, although the lease may still be ours.
type Term struct {
	Config
	Began time.Time

	ctx, lost        context.Context //ctxvet:ok ctxfield: a term is the life of these two contexts
	cancel, loseHard context.CancelCauseFunc
	validUntil       atomic.Int64 // by the clock

	mu    sync.Mutex
	timer *time.Timer
	err   error
	ended atomic.Bool // err is set
}

// New begins a term that was acquired by a request sent at the time sent, by the clock. parent is the
// context below which the term's work runs.
func New(parent context.Context, config Config, sent time.Duration) *Term {
	t := &Term{Config: config, Began: time.Now()}
	t.ctx, t.cancel = context.WithCancelCause(parent)
	t.lost, t.loseHard = context.WithCancelCause(context.WithoutCancel(parent))
	t.validUntil.Store(int64(sent + config.Length))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(max(0, t.Remaining()), t.expire)
	return t
}

// Context is the one on which everything runs that needs this term (C12). It ends with the term, and
// with its parent.
func (t *Term) Context() context.Context { return t.ctx }

// Lost has the values of Context's parent, and ends with the term only: work that may drain at a
// shutdown has to end with it nevertheless (C6).
func (t *Term) Lost() context.Context { return t.lost }

// String names the term, for logs: the holder, and which of the lease's terms this is.
func (t *Term) String() string { return fmt.Sprintf("%s#%d", t.Holder, t.Number) }

// Remaining is how long the term is valid yet if it is not renewed; zero or less: no more.
func (t *Term) Remaining() time.Duration {
	return time.Duration(t.validUntil.Load()) - t.Clock()
}

// Check tells whether the term is valid now. It is what stands before each write (C14). When the clock
// says that the time is over, the term ends here, before any timer has noticed.
func (t *Term) Check() error {
	if !t.ended.Load() {
		if t.Remaining() > 0 {
			return nil
		}
		t.expire()
	}
	return t.Err()
}

// Err is why the term has ended, nil before.
func (t *Term) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// After tells whether the term began after a state of the lease, known by its resourceVersion.
func (t *Term) After(state string) bool {
	order, err := resourceversion.CompareResourceVersion(state, t.ResourceVersion)
	return err == nil && order < 0
}

// Extend makes the term valid for its length from sent, when a renewal that was sent then has succeeded.
// A term that is over stays over.
func (t *Term) Extend(sent time.Duration) {
	if t.Check() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.validUntil.Store(max(t.validUntil.Load(), int64(sent+t.Length)))
	t.timer.Reset(max(0, t.Remaining()))
}

// expire ends the term if its time is over by the clock; a timer knows only a clock that may have stood
// still.
func (t *Term) expire() {
	t.mu.Lock()
	if left := t.Remaining(); left > 0 {
		t.timer.Reset(left)
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	t.End(cause.TermExpired, fmt.Sprintf("the last renewal that succeeded was sent %v ago", (t.Length-t.Remaining()).Round(time.Millisecond)))
}

// End ends the term, and every context of it, for a reason. Only the first end counts.
func (t *Term) End(how cause.TermEnd, detail string) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	t.err = cause.LeadershipLost.With(&cause.TermEnded{
		Lease: t.Lease, Holder: t.Holder, Number: t.Number, How: how, Detail: detail, At: time.Now(),
	})
	t.ended.Store(true)
	t.timer.Stop()
	err := t.err
	t.mu.Unlock()
	t.loseHard(err) // first: whoever sees the other ended can tell whether this is why
	t.cancel(err)
}
