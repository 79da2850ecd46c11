// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/lanyard-k8s/lanyard/test/internal/wirebody"
)

// writeStatus answers as the API server does when it is too busy.
func writeStatus(w http.ResponseWriter, fault Fault) (how string, err error) {
	body, err := wirebody.Status(fault.status, "", "answered by the test's proxy")
	if err != nil {
		return "", err
	}
	w.Header().Set("Content-Type", "application/json")
	if fault.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(fault.retryAfter.Seconds())))
	}
	w.WriteHeader(fault.status)
	if err := write(w, body); err != nil {
		return "", err
	}
	return fmt.Sprintf("answered %d by the proxy", fault.status), nil
}

type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

func connOf(ctx context.Context) net.Conn { return ctx.Value(connKey{}).(net.Conn) }
