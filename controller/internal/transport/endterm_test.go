// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// closable is a connection that knows whether this side has closed it.
type closable struct {
	net.Conn
	closed bool
}

func (d *closable) Close() error {
	d.closed = true
	return d.Conn.Close()
}

// serve answers each request on a connection.
func serve(far net.Conn) {
	reader := bufio.NewReader(far)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			_ = far.Close()
			return
		}
		_ = req.Body.Close()
		_, _ = fmt.Fprint(far, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	}
}

func TestC14ATermThatIsOverHasNoConnectionsAnyMoreAndOthersHaveTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled []*closable
		tr := New(Options{Connections: 1})
		defer tr.Close()
		client := clientOf(t, tr, &rest.Config{Host: "http://server.invalid", Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go serve(far)
			dialled = append(dialled, &closable{Conn: near})
			return dialled[len(dialled)-1], nil
		}})
		over, next := newTerm(t, time.Minute), newTerm(t, time.Minute)
		defer next.End(cause.TermResigned, "")
		write := func(unit *work.Unit) {
			t.Helper()
			resp, err := client.Do(request(t, work.NewContext(t.Context(), unit), "PUT", pods))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			synctest.Wait() // the connection is idle
		}
		write(&work.Unit{Term: over})
		write(&work.Unit{})
		write(&work.Unit{Term: next})
		if len(dialled) != 3 || len(tr.pools.all) != 3 {
			t.Fatalf("%d connections in %d pools", len(dialled), len(tr.pools.all))
		}
		ended := tr.pools.all[0]
		over.End(cause.TermTaken, "b")
		tr.EndTerm(over)
		synctest.Wait()
		if !dialled[0].closed || dialled[1].closed || dialled[2].closed {
			t.Errorf("closed: that of the term %v, that of no term %v, that of the next term %v", dialled[0].closed, dialled[1].closed, dialled[2].closed)
		}
		if ended.Ended() == nil {
			t.Error("the term's pool may make more connections")
		}
		for _, p := range tr.pools.all {
			if p.Fence() == over {
				t.Error("the term's pool is kept")
			}
		}
		write(&work.Unit{Term: next})
		write(&work.Unit{})
		if len(tr.pools.all) != 2 || len(dialled) != 3 {
			t.Errorf("then there are %d pools, and %d connections have been made", len(tr.pools.all), len(dialled))
		}
	})
}
