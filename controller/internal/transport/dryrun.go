// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	ktransport "k8s.io/client-go/transport"

	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// Dry returns a copy of a configuration whose clients change nothing that lasts: the last round tripper
// before the wire makes each write a dry run, and refuses what cannot be one. Whatever other round trippers
// do to a request, they do it before. above wraps that round tripper, below those of the configuration; nil
// for nothing.
func Dry(config *rest.Config, above func(http.RoundTripper) http.RoundTripper) *rest.Config {
	dry := rest.CopyConfig(config)
	prefix := apicall.Prefix(config.Host)
	guard := func(next http.RoundTripper) http.RoundTripper {
		return &dryRunner{next: next, prefix: prefix}
	}
	if dry.Transport != nil {
		dry.Transport = guard(dry.Transport) // also for a client without the wrappers
		guard = nil
	}
	dry.WrapTransport = ktransport.Wrappers(guard, above, config.WrapTransport)
	return dry
}

// withoutCredentials returns a copy of a configuration for clients that can do nothing once its wrapper is
// taken off: the wrapper has the credentials.
func withoutCredentials(config *rest.Config) *rest.Config {
	anonymous := rest.AnonymousClientConfig(config)
	anonymous.Transport = config.Transport
	anonymous.WrapTransport = config.WrapTransport
	return anonymous
}

// authenticated returns a round tripper that adds the credentials of a configuration.
func authenticated(config *rest.Config, next http.RoundTripper) http.RoundTripper {
	credentials := rest.CopyConfig(config)
	credentials.WrapTransport = nil
	wrapped, err := rest.HTTPWrappersForConfig(credentials, next)
	if err != nil {
		return failing{err}
	}
	return wrapped
}

// failing is a round tripper that fails.
type failing struct{ err error }

// RoundTrip fails.
func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// dryRunner makes each write a dry run.
type dryRunner struct {
	next   http.RoundTripper
	prefix string // of the path of the API server's address
}

var _ utilnet.RoundTripperWrapper = (*dryRunner)(nil)

// WrappedRoundTripper returns the transport below.
func (d *dryRunner) WrappedRoundTripper() http.RoundTripper { return d.next }

// RoundTrip sends a read as it is, and a write as a dry run. Its error wraps [plan.ErrRefused] if there is no
// dry run of the call.
func (d *dryRunner) RoundTrip(req *http.Request) (*http.Response, error) {
	call := apicall.ParseBelow(req, d.prefix)
	loose := apicall.Parse(req) // if the client was given another address
	switch {
	case upgrades(req), apicall.Connects(&call), apicall.Connects(&loose):
		return nil, refuse(req, &call)
	case req.Method == http.MethodGet, req.Method == http.MethodHead, req.Method == http.MethodOptions:
		return d.next.RoundTrip(req)
	case call.Path != "", mints(&call), mints(&loose):
		return nil, refuse(req, &call)
	}
	dry := req.WithContext(req.Context())
	dry.URL = new(url.URL)
	*dry.URL = *req.URL
	dry.URL.RawQuery = dryQuery(req.URL.RawQuery)
	if req.Method == http.MethodDelete {
		if err := dryDelete(dry); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", call, plan.ErrRefused, err)
		}
	}
	return d.next.RoundTrip(dry)
}

// refuse closes the request, as a RoundTripper must.
func refuse(req *http.Request, call *report.Call) error {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read of it
	}
	return fmt.Errorf("%s: %w", call, plan.ErrRefused)
}

// upgrades reports whether a request asks for a connection on which nobody sees what is sent.
func upgrades(req *http.Request) bool {
	return req.Method == http.MethodConnect || req.Header.Get("Upgrade") != ""
}

// mints reports whether a call makes a token. It is as good as any other, also with dryRun.
func mints(call *report.Call) bool { return call.Resource == "serviceaccounts/token" }

// dryQuery returns a query with dryRun=All, and no other value of that parameter.
func dryQuery(query string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(key); part != "" && (err != nil || name != "dryRun") {
			kept = append(kept, part)
		}
	}
	return strings.Join(append(kept, "dryRun=All"), "&")
}
