// SPDX-License-Identifier: Apache-2.0

package snapshot

import "time"

// State is how far a manager has come.
type State string

// The states of a manager.
const (
	SetUp   State = "setup"   // Run has not begun
	Running State = "running" // it runs
	Ending  State = "ending"  // its contexts have ended, and something has not returned yet
	Ended   State = "ended"   // Run has returned
)

// Snapshot is what a manager does at one moment. Its parts are read one after the other, so they may differ by
// some milliseconds. Lists are in a stable order.
type Snapshot struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	// Cause is why the manager ends or has ended. Empty before that.
	Cause string `json:"cause,omitempty"`

	Leadership *Leadership `json:"leadership,omitempty"` // nil without leader election
	Shards     *Shards     `json:"shards,omitempty"`     // nil without sharding

	Controllers []Controller `json:"controllers"`
	Caches      []Cache      `json:"caches"`
	Runnables   []Work       `json:"runnables"` // runnables, informers, and what keeps Leases
	Connections []Connection `json:"connections"`
	// Recent is the last reconciles that have ended, the newest first.
	Recent []Reconcile `json:"recent"`
	// Writers is who has written what since the start, most writes first.
	Writers []Writer `json:"writers"`
	// Orphans names lines of code that make calls which belong to no work of the manager.
	Orphans  []string `json:"orphans"`
	Shutdown Shutdown `json:"shutdown"`
}

// Leadership is the term of a Lease.
type Leadership struct {
	Lease string `json:"lease"` // namespace/name
	Leads bool   `json:"leads"`
	// Holder, Number, Began and Left are of the term. They are empty without one.
	Holder string     `json:"holder,omitempty"`
	Number int        `json:"number,omitempty"`
	Began  *time.Time `json:"began,omitempty"`
	// Left is how long the term is valid if it is not renewed.
	Left Seconds `json:"left,omitempty"`
}

// Shards is the slots of a process.
type Shards struct {
	Total int   `json:"total"` // the number of all slots
	Held  []int `json:"held"`  // the numbers of those of this process
	// Left is how long the process may use them if it does not renew its membership. Zero if it holds none.
	Left Seconds `json:"left"`
	// Refused is why this process may not work beside the others. Empty if it may.
	Refused string `json:"refused,omitempty"`
}

// Controller is one controller.
type Controller struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // of its objects, with the group
	Workers int    `json:"workers"`
	// Scope says when it works: "always", "term" or "slots".
	Scope   string `json:"scope"`
	Serving bool   `json:"serving"` // its workers take items
	// Drain is the time that items in flight have at a shutdown. Zero: they are cancelled.
	Drain    Seconds          `json:"drain"`
	InFlight []Item           `json:"inFlight"` // the oldest first
	Queue    Queue            `json:"queue"`
	Outcomes map[string]int64 `json:"outcomes"` // the number of reconciles, by how they ended
}

// Work is something that runs beside the items.
type Work struct {
	Kind  string  `json:"kind"` // "runnable", "informer", "controller" or "leadership"
	Name  string  `json:"name"`
	Age   Seconds `json:"age"`
	Calls []Call  `json:"calls"` // that have not ended
}

// Cache is the cache of an informer.
type Cache struct {
	Kind    string `json:"kind"`
	Objects int    `json:"objects"` // -1 if that is not known
	Synced  bool   `json:"synced"`
	// Age is for how long the API server has sent nothing; -1 before it has sent anything, and if that is
	// not known.
	Age     Seconds `json:"age"`
	Failing Seconds `json:"failing"` // for how long it has not been fed; 0 if it is
	Error   string  `json:"error,omitempty"`
}

// Connection is the connections for one purpose.
type Connection struct {
	Purpose     string `json:"purpose"`
	Connections int    `json:"connections"`
	Limit       int    `json:"limit"` // of Connections; 0 for none
	Calls       int    `json:"calls"` // that they carry now
	Waiting     int    `json:"waiting"`
}

// Writer is a controller that has written objects of one resource with one verb.
type Writer struct {
	Controller    string    `json:"controller"`
	Verb          string    `json:"verb"`
	Resource      string    `json:"resource"`
	Writes        int64     `json:"writes"` // attempts
	WithoutEffect int64     `json:"withoutEffect"`
	Unknown       int64     `json:"unknown"` // of which nobody knows whether they were applied
	Last          time.Time `json:"last"`
	By            Object    `json:"by"` // the item that has written last
}

// Shutdown is what a shutdown would do now.
type Shutdown struct {
	Cancelled  int     `json:"cancelled"`  // the number of items that would be cancelled
	Finishing  int     `json:"finishing"`  // of those that would have some time to finish
	NotStarted int     `json:"notStarted"` // of those that wait, and would not be started
	Writes     int     `json:"writes"`     // of calls that would be cut off and may have changed something
	Longest    Seconds `json:"longest"`    // the time that items would have to finish, at most
}
