// Package work keeps account of what a manager is running: each runnable, informer and item is a
// unit, carried by its context into every API call that is made on its behalf. From that the
// shutdown report knows what did not stop, and an item knows what it cost.
package work

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/controller/apicall"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/tracescope"
)

// Kind tells units apart.
type Kind string

// The kinds of units.
const (
	Item       Kind = "item"
	Runnable   Kind = "runnable"
	Informer   Kind = "informer"
	Controller Kind = "controller"
	Leadership Kind = "leadership"
)

// Unit is one piece of work, from its start until it has returned.
type Unit struct {
	Kind    Kind
	Owner   string               // the controller, runnable or informer by name
	Key     types.NamespacedName // of an item
	Start   time.Time
	Due     time.Time  // when its time is over, of an item
	Attempt int        // of an item: 1 for the first of a chain of tries
	Term    *term.Term // without which it must not write; nil when it needs none
	Scope   tracescope.Scope
	base    context.Context //ctxvet:ok ctxfield: the unit is carried by a context itself: see SetDeadline
	limits  *Limits         // nil for what is no item
	ctx     itemContext     // of an item

	heard atomic.Int64 // when the API server sent something last, in Unix nanoseconds

	mu        sync.Mutex
	goroutine uint64  // the number of the one that does the work, to find its stack by
	calls     []*Call // outstanding
	cut       []Call  // ended because their context did
	cost      Cost
	resource  string // that an informer lists
	log       any    // a logr.Logger, once an item has one
}

// Cost is what a unit has asked of the API server.
type Cost struct {
	Calls  int // requests sent, each attempt counted
	Writes int // of these, the ones that were not reads
	// Waited is how long calls waited for room on a connection, added up.
	Waited time.Duration
}

// Call is one outstanding API request.
type Call struct {
	apicall.Call
	Start   time.Time
	Waiting bool // for room on a connection: not sent yet
}

// Heard notes that the API server has sent something.
func (u *Unit) Heard() { u.heard.Store(time.Now().UnixNano()) }

// LastHeard is when the API server sent something last, zero if it never has.
func (u *Unit) LastHeard() time.Time {
	if at := u.heard.Load(); at > 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Group is the API group of what an informer lists, "" for the core group and while it is not known.
func (u *Unit) Group() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, group, _ := strings.Cut(u.resource, ".")
	return group
}

// SetGoroutine notes the number of the goroutine that does the work.
func (u *Unit) SetGoroutine(id uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.goroutine = id
}

// GoroutineNumber is the number that SetGoroutine noted.
func (u *Unit) GoroutineNumber() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.goroutine
}

// Begin notes that a call is on its way. End must follow.
func (u *Unit) Begin(c *Call) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls = append(u.calls, c)
	if u.Kind == Informer && u.resource == "" {
		u.resource = c.Resource
	}
	u.cost.Calls++
	if !c.ReadOnly() {
		u.cost.Writes++
	}
}

// Wait notes that a call waits for room on a connection, until done is called. One that has got none stays
// marked, for the report: it was never sent.
func (u *Unit) Wait(c *Call) (done func(room bool)) {
	began := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	c.Waiting = true
	return func(room bool) {
		u.mu.Lock()
		defer u.mu.Unlock()
		c.Waiting = !room
		u.cost.Waited += time.Since(began)
	}
}

// End notes that a call has returned; cut tells that it did because its context ended. Only the first
// End of a call counts.
func (u *Unit) End(c *Call, cut bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.Index(u.calls, c)
	if i < 0 {
		return
	}
	u.calls = slices.Delete(u.calls, i, i+1)
	if cut {
		u.cut = append(u.cut, *c)
	}
}

// Cut returns the calls that ended because their context did.
func (u *Unit) Cut() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.cut)
}

// Cost returns what the unit has asked of the API server so far.
func (u *Unit) Cost() Cost {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.cost
}

// Outstanding returns the calls that have not returned yet, oldest first.
func (u *Unit) Outstanding() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	calls := make([]Call, len(u.calls))
	for i, c := range u.calls {
		calls[i] = *c
	}
	return calls
}

type contextKey struct{}

// NewContext returns a context whose API calls are the unit's.
func NewContext(ctx context.Context, u *Unit) context.Context {
	return context.WithValue(ctx, contextKey{}, u)
}

// From returns the unit on whose behalf ctx runs, nil outside any.
func From(ctx context.Context) *Unit {
	u, _ := ctx.Value(contextKey{}).(*Unit)
	return u
}
