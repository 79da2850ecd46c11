// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// timeout limits each request.
const timeout = 10 * time.Second

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// Client asks the page of a program. New makes one.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// Access is how a page is protected. The zero value is for one that is not.
type Access struct {
	TokenFile string // has the bearer token; empty for none
	CAFile    string // has the authority of the server's certificate; empty for those of the system
}

// New makes a client for a page at an address, such as http://localhost:8082.
func New(address string, access Access) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("the address %q is no URL, such as http://localhost:8082", address)
	}
	if strings.Trim(base.Path, "/") == "" {
		base.Path = "/page"
	}
	c := &Client{base: base, http: &http.Client{Timeout: timeout}}
	if access.TokenFile != "" {
		if base.Scheme != "https" {
			return nil, fmt.Errorf("the token in %s is for an https address only, and not for %s", access.TokenFile, address)
		}
		token, err := os.ReadFile(access.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		c.token = strings.TrimSpace(string(token))
	}
	if access.CAFile != "" {
		authority, err := os.ReadFile(access.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authority: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("there is no certificate in %s", access.CAFile)
		}
		c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Proxy: http.ProxyFromEnvironment}
	}
	return c, nil
}

// Snapshot returns what the program does now, as it has answered, and decoded.
func (c *Client) Snapshot(ctx context.Context) (raw []byte, s *Snapshot, err error) {
	if raw, err = c.get(ctx, "snapshot", nil); err != nil {
		return nil, nil, err
	}
	s = &Snapshot{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, nil, fmt.Errorf("%s did not answer with a snapshot: %w", c.base.Redacted(), err)
	}
	return raw, s, nil
}

// Told is what a program knows of an object: as text, and as it has answered.
type Told struct {
	Stories []json.RawMessage `json:"stories"`
	Text    string            `json:"text"`
}

// Stories returns what the program knows of an object.
func (c *Client) Stories(ctx context.Context, namespace, name string) (*Told, error) {
	raw, err := c.get(ctx, "stories", url.Values{"namespace": {namespace}, "name": {name}})
	if err != nil {
		return nil, err
	}
	told := &Told{}
	if err := json.Unmarshal(raw, told); err != nil {
		return nil, fmt.Errorf("%s did not answer with stories: %w", c.base.Redacted(), err)
	}
	return told, nil
}

func (c *Client) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	address := c.base.JoinPath(path)
	address.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the program: %w (is it run with -page-addr?)", err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask the program: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", address.Redacted(), answer.Status, strings.TrimSpace(string(content)))
	}
	return content, nil
}

// Close closes the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
