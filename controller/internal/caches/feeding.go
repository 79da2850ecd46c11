// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

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

// onError notes a list or watch error, and logs it unless it was the last one too. The end of a
// watch is no error.
func (c *Cache) onError(ctx context.Context, _ *cache.Reflector, err error) {
	if ctx.Err() != nil || err == nil || isRoutine(err) {
		return
	}
	if repeated := c.feeding.failed(err, time.Now()); !repeated {
		klog.FromContext(ctx).Error(err, "List or watch failed, trying again"+hint(err), "informer", c.name)
	}
}

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

// outages returns the outages of a cache. With what the transport knows of its watches that is
// certain. Without, for a fake or a client of another configuration, errors are all that is known.
func (c *Cache) outages(now time.Time) []Outage {
	c.feeding.mu.Lock()
	reflector := Outage{Name: c.name, Since: c.feeding.since, Last: c.feeding.last, Err: c.feeding.err}
	c.feeding.mu.Unlock()
	streams := c.unit.Streams.All(now)
	if len(streams) == 0 {
		if reflector.Err == nil || now.Sub(reflector.Last) > silence {
			return nil
		}
		return []Outage{reflector}
	}
	all := outagesOf(c.name, streams)
	for i := range all {
		if reflector.Err != nil && !reflector.Last.Before(all[i].Since) {
			all[i].Err = reflector.Err // it has the API server's message
		}
	}
	return all
}

// outagesOf returns the collections that are not watched.
func outagesOf(name string, streams []work.Stream) (all []Outage) {
	for _, stream := range streams {
		if !stream.Since.IsZero() {
			all = append(all, Outage{Name: name, Since: stream.Since, Err: stream.Err})
		}
	}
	return all
}

// SyncError says why the cache is not full yet.
func (c *Cache) SyncError() error {
	if err := c.transformer.busy.Stalled(c.name, time.Now(), 0); err != nil {
		return err
	}
	c.feeding.mu.Lock()
	defer c.feeding.mu.Unlock()
	if c.feeding.err == nil {
		return fmt.Errorf("%s: the API server has not answered its list yet", c.name)
	}
	return fmt.Errorf("%s: %w%s", c.name, c.feeding.err, hint(c.feeding.err))
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
