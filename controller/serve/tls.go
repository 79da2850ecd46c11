// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// TLS says with which certificate a [Server] serves. It speaks TLS 1.3, and HTTP/1.1 unless HTTP2 is set.
type TLS struct {
	// CertFile and KeyFile have the certificate with its chain, and its key, in PEM form. Both are read again when
	// they change, as those of a mounted Secret do. They are required.
	CertFile, KeyFile string

	// HTTP2 lets clients speak HTTP/2 too. Default: false, because of what a client can make a server do with it.
	HTTP2 bool
}

// checkPeriod is how often the files are looked at, at most.
const checkPeriod = time.Second

// certificate is a certificate in files.
type certificate struct {
	files  TLS
	logger logr.Logger

	mu      sync.Mutex
	checked time.Time
	version [2]fileVersion
	current *tls.Certificate
}

// fileVersion changes with a file.
type fileVersion struct {
	modified time.Time
	size     int64
}

// open reads the certificate for the first time.
func (t TLS) open(logger logr.Logger) (*certificate, error) {
	c := &certificate{files: t, logger: logger}
	if t.CertFile == "" || t.KeyFile == "" {
		return nil, fmt.Errorf("the TLS certificate: set TLS.CertFile and TLS.KeyFile")
	}
	return c, c.load(time.Now())
}

// load reads the files, unless they are those that were read last.
func (c *certificate) load(now time.Time) error {
	c.checked = now
	var version [2]fileVersion
	for i, name := range []string{c.files.CertFile, c.files.KeyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("the TLS certificate: %w", err)
		}
		version[i] = fileVersion{info.ModTime(), info.Size()}
	}
	if c.current != nil && version == c.version {
		return nil
	}
	read, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		return fmt.Errorf("the TLS certificate in %s and %s: %w", c.files.CertFile, c.files.KeyFile, err)
	}
	if c.current != nil {
		c.logger.Info("The TLS certificate has changed", "file", c.files.CertFile)
	}
	c.current = &read
	c.version = version
	return nil
}

// get returns the certificate for a handshake. While the files cannot be used, it is the last one that could.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= checkPeriod {
		if err := c.load(now); err != nil {
			c.logger.Error(err, "The TLS certificate was not read again, going on with the last one")
		}
	}
	return c.current, nil
}

// secure makes a server speak TLS.
func (c *certificate) secure(server *http.Server) {
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get}
	server.Protocols = &http.Protocols{}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(c.files.HTTP2)
}
