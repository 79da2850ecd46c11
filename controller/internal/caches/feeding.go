// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

const (
	// outageGrace is how long a cache may be without a watch until that is told. The API server ends
	// each watch after some minutes, and may be restarted.
	outageGrace = 10 * time.Second
	// silence is the time after which a cache without further errors counts as fed again if nothing
	// is known of its watch. client-go waits for up to a minute before it tries again.
	silence = 2 * time.Minute
)

// feeding is the state of the list and watch of a cache, as client-go's reflector tells it. It knows
// errors only. What the transport knows is in the unit's streams. It is safe for concurrent use.
type feeding struct {
	mu     sync.Mutex
	err    error // the last
	since  time.Time
	last   time.Time
	errors int64
}

// failed notes an error. repeated reports whether the one before was the same.
func (f *feeding) failed(err error, now time.Time) (repeated bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	repeated = f.err != nil && f.err.Error() == err.Error() && now.Sub(f.last) <= silence
	if f.err == nil || now.Sub(f.last) > silence {
		f.since = now
	}
	f.err = err
	f.last = now
	f.errors++
	return repeated
}

// isRoutine reports whether an error is only the end of a watch.
func isRoutine(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || utilnet.IsProbableEOF(err)
}

// Outage is a time for which a cache was not fed.
type Outage struct {
	Name  string
	Since time.Time
	Last  time.Time // when the last error came; zero if the outage goes on for certain
	Err   error     // nil if no list or watch has failed: none was answered
}

// told reports whether an outage has lasted for long enough to be told. Some errors do not pass by
// themselves.
func (o Outage) told(now time.Time) bool {
	lasting := o.Err != nil &&
		(apierrors.IsForbidden(o.Err) || apierrors.IsUnauthorized(o.Err) || apierrors.IsNotFound(o.Err))
	return lasting || now.Sub(o.Since) >= outageGrace
}

// Error describes the outage.
func (o Outage) Error() string {
	text := fmt.Sprintf("%s: its cache has not been fed since %s: ", o.Name, o.Since.UTC().Format(time.RFC3339))
	if o.Err == nil {
		return text + "the API server does not answer"
	}
	return text + o.Err.Error() + hint(o.Err)
}

// Unwrap returns the last error of a list or watch.
func (o Outage) Unwrap() error { return o.Err }

// outagesOf returns the collections that are not watched.
func outagesOf(name string, streams []work.Stream) (all []Outage) {
	for _, stream := range streams {
		if !stream.Since.IsZero() {
			all = append(all, Outage{Name: name, Since: stream.Since, Err: stream.Err})
		}
	}
	return all
}

// hint says what to do about the errors that are common with new controllers.
func hint(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return " (grant list and watch on it to the user that the controller runs as)"
	case apierrors.IsNotFound(err):
		return " (is its CustomResourceDefinition installed?)"
	case apierrors.IsUnauthorized(err):
		return " (the credentials in the kubeconfig or the service account's token are not accepted)"
	case utilnet.IsConnectionRefused(err):
		return " (nothing listens there: is the API server up, and the address in the kubeconfig right?)"
	}
	return ""
}
