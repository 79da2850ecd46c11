// SPDX-License-Identifier: Apache-2.0

package shutdowntest

// For [Expect.Cancelled].
const (
	NoneCancelled = -1 // the report lists none
	AnyCancelled  = -2 // the report may list any number
)

// Expect relaxes what [Run.AssertPromise] asserts. The zero value asserts the whole promise:
//
//   - Run returned nil, and by then all calls had;
//   - each call that was cut short was made with a context that ended with the cause given to End, and
//     with cause.Shutdown, and is context.Canceled; so is the error of each cancelled item;
//   - no request was begun after the end, other than to release a lease;
//   - no goroutine is left;
//   - the report has the cause, as many cancelled items as the rules held calls, with these calls, and
//     no stragglers.
//
// Of [StartFunc], what is about items, the report and cause.Shutdown is not asserted.
type Expect struct {
	// Cancelled is how many items the report lists as cancelled, or [NoneCancelled] or [AnyCancelled].
	// Default: as many as there were requests held by rules (other than on dials) when the root ended.
	Cancelled int

	// Stragglers names what does not stop, each by a part of its line in the report, such as
	// "runnable mule" or "item web default/a, running for". Run is then to return an error that names
	// them. Their calls may be outstanding. Default: none.
	Stragglers []string

	// FreeStragglers lets the stragglers go, so that it can be seen that nothing is left when they have
	// gone. Without it, with stragglers, goroutines are not looked at. Default: nil.
	FreeStragglers func()

	// AllowLate are requests that may be begun after the end, besides the release of a lease; Match.First
	// is not looked at. A manager that drains needs Match{}, which is all. Default: none.
	AllowLate []Match

	// AllowItemErrors lets cancelled items end with errors that are not the end's cause.
	AllowItemErrors bool

	// AllowGoroutines does not look for goroutines that are left, where a test cannot help having
	// started others meanwhile.
	AllowGoroutines bool
}

// allowsLate reports whether a request may be begun after the end: those of the election may, and
// those that AllowLate names.
func (e Expect) allowsLate(t Target) bool {
	if t.Resource == "leases.coordination.k8s.io" {
		return true
	}
	for _, m := range e.AllowLate {
		if m.matches(t, m.UserAgent) {
			return true
		}
	}
	return false
}
