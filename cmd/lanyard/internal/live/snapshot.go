// SPDX-License-Identifier: Apache-2.0

package live

import "time"

// Snapshot is the part of a snapshot that is printed. The package controller/snapshot of Lanyard has all of it, with
// its meaning.
type Snapshot struct {
	Name       string    `json:"name"`
	At         time.Time `json:"at"`
	State      string    `json:"state"`
	Cause      string    `json:"cause"`
	Leadership *struct {
		Lease string  `json:"lease"`
		Leads bool    `json:"leads"`
		Left  float64 `json:"left"`
	} `json:"leadership"`
	Shards *struct {
		Total   int     `json:"total"`
		Held    []int   `json:"held"`
		Left    float64 `json:"left"`
		Refused string  `json:"refused"`
	} `json:"shards"`
	Controllers []Controller `json:"controllers"`
	Caches      []Cache      `json:"caches"`
	Shutdown    struct {
		Cancelled  int `json:"cancelled"`
		Finishing  int `json:"finishing"`
		NotStarted int `json:"notStarted"`
		Writes     int `json:"writes"`
	} `json:"shutdown"`
}

// Controller is a controller.
type Controller struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Workers  int    `json:"workers"`
	Scope    string `json:"scope"`
	Serving  bool   `json:"serving"`
	InFlight []Item `json:"inFlight"`
	Queue    struct {
		Ready   int `json:"ready"`
		Delayed int `json:"delayed"`
		Parked  int `json:"parked"`
	} `json:"queue"`
}

// Item is a reconcile that runs.
type Item struct {
	Namespace string  `json:"namespace"`
	Name      string  `json:"name"`
	Age       float64 `json:"age"`
	Left      float64 `json:"left"`
	Stuck     bool    `json:"stuck"`
	Attempt   int     `json:"attempt"`
	Why       struct {
		Reason string `json:"reason"`
	} `json:"why"`
	Calls []Call `json:"calls"`
}

// Call is a call that has not ended.
type Call struct {
	Verb      string  `json:"verb"`
	Resource  string  `json:"resource"`
	Namespace string  `json:"namespace"`
	Name      string  `json:"name"`
	Path      string  `json:"path"`
	Phase     string  `json:"phase"`
	Age       float64 `json:"age"`
}

// Cache is the cache of an informer.
type Cache struct {
	Kind    string  `json:"kind"`
	Objects int     `json:"objects"`
	Synced  bool    `json:"synced"`
	Failing float64 `json:"failing"`
	Error   string  `json:"error"`
}
