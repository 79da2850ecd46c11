// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"
)

// secured is an API server with TLS that knows its open connections, and who has called it.
type secured struct {
	*httptest.Server
	mu      sync.Mutex
	open    map[net.Conn]bool
	callers []string
}

// newSecured starts a server that asks for a client certificate and answers every request.
func newSecured(t *testing.T) *secured {
	s := &secured{open: map[net.Conn]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateNew:
			s.open[conn] = true
		case http.StateClosed, http.StateHijacked:
			delete(s.open, conn)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// serve holds a watch open until its caller goes, and answers other requests.
func (s *secured) serve(w http.ResponseWriter, req *http.Request) {
	caller := req.Header.Get("Authorization")
	if certificates := req.TLS.PeerCertificates; len(certificates) > 0 {
		caller = certificates[0].Subject.CommonName
	}
	s.mu.Lock()
	s.callers = append(s.callers, caller)
	s.mu.Unlock()
	if req.URL.Query().Get("watch") == "true" {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-req.Context().Done()
		return
	}
	_, _ = fmt.Fprint(w, "{}")
}

// takeCallers returns those who have called since it was last asked.
func (s *secured) takeCallers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	callers := s.callers
	s.callers = nil
	return callers
}

func (s *secured) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// trusted returns a configuration that trusts the server by a CA in a file.
func (s *secured) trusted(t *testing.T) *rest.Config {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, "CERTIFICATE", s.Certificate().Raw)
	return &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{CAFile: ca}}
}

// withCertificate returns such a configuration with a client certificate in files.
func (s *secured) withCertificate(t *testing.T, name string) *rest.Config {
	config := s.trusted(t)
	dir := t.TempDir()
	config.CertFile = filepath.Join(dir, "client.pem")
	config.KeyFile = filepath.Join(dir, "client-key.pem")
	writeCertificate(t, config, name)
	return config
}

// writeCertificate writes a new client certificate into the files that a configuration names.
func writeCertificate(t *testing.T, config *rest.Config, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, config.CertFile, "CERTIFICATE", certificate)
	writePEM(t, config.KeyFile, "PRIVATE KEY", private)
}

func writePEM(t *testing.T, path, kind string, data []byte) {
	t.Helper()
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
}

// credentials returns configurations with every kind of credentials, by what the server then sees.
func (s *secured) credentials(t *testing.T) map[string]*rest.Config {
	static := s.withCertificate(t, "static")
	if err := rest.LoadTLSFiles(static); err != nil {
		t.Fatal(err)
	}
	static.CertFile, static.KeyFile, static.CAFile = "", "", ""
	token := s.trusted(t)
	token.BearerTokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token.BearerTokenFile, []byte("from-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	plugin := s.trusted(t)
	plugin.ExecProvider = &api.ExecConfig{
		Command: "echo", InteractiveMode: api.NeverExecInteractiveMode, APIVersion: "client.authentication.k8s.io/v1",
		Args: []string{`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}`},
	}
	dialled := s.withCertificate(t, "dialled")
	dialled.Dial = (&net.Dialer{}).DialContext
	dialled.Proxy = http.ProxyFromEnvironment
	return map[string]*rest.Config{
		"files": s.withCertificate(t, "files"), "static": static, "dialled": dialled,
		"Bearer from-file": token, "Bearer from-plugin": plugin,
	}
}
