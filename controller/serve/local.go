// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
)

// IsLoopback reports whether only the machine itself, or the pod, can reach an address, which is host:port.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopbackHost(host)
}

func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Local returns a handler that answers only requests whose Host is localhost or a loopback address. On a loopback
// address it keeps out pages of other origins which a browser on the machine has open, and whose host name they have
// made to mean that address.
func Local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopbackHost(host) {
			http.Error(w, fmt.Sprintf("this server is for localhost, and not for %q", host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
