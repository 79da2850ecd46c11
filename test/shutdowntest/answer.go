// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writeStatus answers as the API server does when it is too busy.
func writeStatus(w http.ResponseWriter, fault Fault) (how string, err error) {
	body, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(fault.status), Message: "answered by the test's proxy",
	})
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
