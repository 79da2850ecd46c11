// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/http"
	"sync"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Recorder records what is used through the configurations that it has made. It is safe for concurrent
// use. Its memory is bounded: of what is done with very many objects, it keeps [Any].
type Recorder struct {
	mu   sync.Mutex
	seen map[permission]*objects
}

// NewRecorder makes a recorder.
func NewRecorder() *Recorder { return &Recorder{seen: map[permission]*objects{}} }

// Config returns a copy of config whose clients are recorded. Pass it to controller.NewManager, and the
// recorder has all that the manager does: informers, the Lease of the election, events, and all
// calls of its clients. It serves clients without a manager too, but only a manager says which
// controller makes a call, and whose names and namespaces change with the object that is reconciled.
func (r *Recorder) Config(config *rest.Config) *rest.Config {
	recorded := rest.CopyConfig(config)
	prefix := apicall.Prefix(config.Host)
	recorded.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &roundTripper{next: next, prefix: prefix, recorder: r}
	})
	return recorded
}

// Used returns what was used so far.
func (r *Recorder) Used() Used {
	r.mu.Lock()
	defer r.mu.Unlock()
	var used Used
	for p, objects := range r.seen {
		for at, seen := range objects.at {
			use := Use{
				Verb: p.verb, Group: p.group, Resource: p.resource, Path: p.path,
				Namespace: at.namespace, Name: at.name, By: seen.by, Refused: seen.refused,
			}
			use.FixedNamespace, use.FixedName = seen.fixed(at)
			used = append(used, use)
		}
	}
	return Merge(used)
}

// answered records a request after it was answered, or has failed.
func (r *Recorder) answered(req *http.Request, prefix string, resp *http.Response, err error) {
	uses := usesOf(req, prefix)
	refused := refusedVerb(resp, err)
	if len(uses) == 1 {
		create, ok := created(uses[0])
		if ok && (refused == create.Verb || err == nil && resp.StatusCode == http.StatusCreated) {
			uses = append(uses, create)
		}
	}
	unit := work.From(req.Context())
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, use := range uses {
		p := use.permission()
		if r.seen[p] == nil {
			r.seen[p] = &objects{at: map[object]*seen{}}
		}
		s := r.seen[p].get(object{use.Namespace, use.Name})
		s.note(unit)
		s.refused = s.refused || refused == use.Verb
	}
}

// roundTripper records what goes through it.
type roundTripper struct {
	next     http.RoundTripper
	prefix   string
	recorder *Recorder
}

var _ utilnet.RoundTripperWrapper = (*roundTripper)(nil)

// WrappedRoundTripper returns the transport below.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip sends a request and records it. A request that fails was needed as well.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	t.recorder.answered(req, t.prefix, resp, err)
	return resp, err
}
