// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"errors"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"
)

// unused stands for the transport that client-go makes for each client, and over which no call
// goes. If the client held that transport, the goroutine would live on which reads the certificates
// for it.
type unused struct {
	base *rest.Config

	once sync.Once
	like http.RoundTripper
}

// WrappedRoundTripper returns a transport with the same TLS configuration, which is what client-go
// looks for.
func (u *unused) WrappedRoundTripper() http.RoundTripper {
	u.once.Do(func() {
		like := &http.Transport{}
		if config, err := rest.TLSConfigFor(u.base); err == nil { // a call would return the error
			like.TLSClientConfig = config
		}
		u.like = like
	})
	return u.like
}

// RoundTrip is never called.
func (u *unused) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the calls of a manager's client go over the connections of the manager")
}
