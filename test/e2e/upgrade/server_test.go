// SPDX-License-Identifier: Apache-2.0

package upgrade_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"k8s.io/utils/ptr"
)

const success = `{"status":"Success"}`

// server is an API server with one Lease and one pod, in which the command "hold" says something and goes on until
// its connection is closed, and any other says it and ends.
type server struct {
	t      *testing.T
	config *rest.Config
	closed chan struct{} // has an element for each held command that has lost its connection

	mu      sync.Mutex
	lease   *coordinationv1.Lease
	version int
	execs   int
}

func newServer(t *testing.T) *server {
	s := &server{t: t, closed: make(chan struct{}, 10)}
	served := httptest.NewUnstartedServer(s)
	served.EnableHTTP2 = true // as the API server has it, which no upgrade can use
	served.StartTLS()
	t.Cleanup(served.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: served.Certificate().Raw})
	s.config = &rest.Config{Host: served.URL, TLSClientConfig: rest.TLSClientConfig{CAData: ca}, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/exec"):
		s.mu.Lock()
		s.execs++
		s.mu.Unlock()
		if r.Header.Get("Upgrade") == "websocket" {
			s.webSocket(w, r)
			return
		}
		s.spdy(w, r)
	case strings.HasSuffix(r.URL.Path, "/leases") && r.Method == http.MethodPost, strings.HasSuffix(r.URL.Path, "/leases/leader"):
		s.serveLease(w, r)
	default: // without the watch of the Lease, all works
		status(w, http.StatusForbidden)
	}
}

func status(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"apiVersion":"v1","kind":"Status","status":"Failure","code":%d,"reason":%q}`, code, map[int]string{404: "NotFound", 409: "Conflict", 403: "Forbidden"}[code])
}

func (s *server) serveLease(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet {
		body, err := io.ReadAll(r.Body)
		decoded, _, decodeErr := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		lease, ok := decoded.(*coordinationv1.Lease)
		if err != nil || !ok {
			s.t.Errorf("a lease: %v, %v", err, decodeErr)
			status(w, http.StatusForbidden)
			return
		}
		if s.lease != nil && s.lease.ResourceVersion != lease.ResourceVersion {
			status(w, http.StatusConflict)
			return
		}
		s.store(lease)
	}
	if s.lease == nil {
		status(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.lease)
}

func (s *server) store(lease *coordinationv1.Lease) {
	s.version++
	lease.APIVersion, lease.Kind = "coordination.k8s.io/v1", "Lease"
	lease.ResourceVersion, lease.UID = strconv.Itoa(s.version), "uid"
	s.lease = lease
}

// take gives the Lease to another.
func (s *server) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	other := s.lease.DeepCopy()
	other.Spec.HolderIdentity = ptr.To("another")
	s.store(other)
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.execs
}

func (s *server) webSocket(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{remotecommand.StreamProtocolV5Name}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	command := r.URL.Query().Get("command")
	_ = conn.WriteMessage(websocket.BinaryMessage, append([]byte{remotecommand.StreamStdOut}, command...))
	if command == "hold" {
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
		s.closed <- struct{}{}
		return
	}
	_ = conn.WriteMessage(websocket.BinaryMessage, append([]byte{remotecommand.StreamErr}, success...))
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Time{})
}

func (s *server) spdy(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{remotecommand.StreamProtocolV4Name}); err != nil {
		s.t.Error(err)
		return
	}
	streams := make(chan httpstream.Stream, 2)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if conn == nil {
		s.t.Error("no SPDY")
		return
	}
	defer conn.Close()
	byType := map[string]httpstream.Stream{}
	for range 2 {
		stream := <-streams
		byType[stream.Headers().Get(corev1.StreamType)] = stream
	}
	command := r.URL.Query().Get("command")
	_, _ = io.WriteString(byType[corev1.StreamTypeStdout], command)
	if command == "hold" {
		<-conn.CloseChan()
		s.closed <- struct{}{}
		return
	}
	_ = byType[corev1.StreamTypeStdout].Close()
	_, _ = io.WriteString(byType[corev1.StreamTypeError], success)
	_ = byType[corev1.StreamTypeError].Close()
	<-conn.CloseChan() // once the client has read it
}
