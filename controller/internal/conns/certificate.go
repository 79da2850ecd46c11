// SPDX-License-Identifier: Apache-2.0

package conns

import (
	"bytes"
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	ktransport "k8s.io/client-go/transport"
)

// certificateAge is the age from which a certificate is read again for a new connection, so that
// many connections at once read the files once. client-go has the same limit.
const certificateAge = time.Second

// Certificate is the client certificate of a configuration that names files. Pools share it. It is
// safe for concurrent use. A nil Certificate is that of a configuration which names none.
//
// client-go's own transports read such files in goroutines, which go on until the garbage collector
// has found the transport. A Certificate has none: who needs it reads the files when they may have
// changed.
type Certificate struct {
	certFile, keyFile string

	read    atomic.Int64 // when the files were last read, in nanoseconds since start
	start   time.Time
	version atomic.Int64 // changes with the certificate

	mu      sync.Mutex
	current *tls.Certificate // nil before the files were read
	err     error            // of the last reading
}

// CertificateOf returns the certificate of a configuration if it and its key are in files that
// client-go would read again, and otherwise nil.
func CertificateOf(config *rest.Config) *Certificate {
	tls := config.TLSClientConfig
	if tls.CertFile == "" || tls.KeyFile == "" || len(tls.CertData) > 0 || len(tls.KeyData) > 0 {
		return nil
	}
	return &Certificate{certFile: tls.CertFile, keyFile: tls.KeyFile, start: time.Now()}
}

// apply makes a transport use the certificate.
func (c *Certificate) apply(config *ktransport.Config) {
	if c == nil {
		return
	}
	config.TLS.CertFile = ""
	config.TLS.KeyFile = ""
	config.TLS.GetCertHolder = &ktransport.GetCertHolder{GetCert: c.get}
}

// get returns the certificate for a new connection.
func (c *Certificate) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readIfOlder(certificateAge)
	return c.current, c.err
}

// latest returns a number that is another one after the certificate has changed. It looks at the
// files as often as client-go does. While the files cannot be read it stays the same: the old
// connections are good, and a new one fails with the error.
func (c *Certificate) latest() int64 {
	if c == nil {
		return 0
	}
	if c.age() > ktransport.CertCallbackRefreshDuration && c.mu.TryLock() {
		c.readIfOlder(ktransport.CertCallbackRefreshDuration)
		c.mu.Unlock()
	}
	return c.version.Load()
}

func (c *Certificate) age() time.Duration {
	return time.Since(c.start) - time.Duration(c.read.Load())
}

// readIfOlder reads the files, unless that was done a short time ago. c.mu must be held.
func (c *Certificate) readIfOlder(limit time.Duration) {
	if c.current != nil && c.err == nil && c.age() <= limit {
		return
	}
	c.read.Store(int64(time.Since(c.start)))
	read, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	c.err = err
	if err != nil || c.current != nil &&
		slices.EqualFunc(c.current.Certificate, read.Certificate, bytes.Equal) {
		return
	}
	if c.current != nil {
		c.version.Add(1) // the first one is no change
	}
	c.current = &read
}
