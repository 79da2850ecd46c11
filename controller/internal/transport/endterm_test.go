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
		var conns []*closable
		tr := &Transport{Connections: 1}
		defer tr.Close()
		client := clientOf(t, tr, &rest.Config{Host: "http://server.invalid", Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go serve(far)
			conns = append(conns, &closable{Conn: near})
			return conns[len(conns)-1], nil
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
		if len(conns) != 3 || len(tr.pools) != 3 {
			t.Fatalf("%d connections in %d pools", len(conns), len(tr.pools))
		}
		ended := tr.pools[0]
		over.End(cause.TermTaken, "b")
		tr.EndTerm(over)
		synctest.Wait()
		if !conns[0].closed || conns[1].closed || conns[2].closed {
			t.Errorf("closed: that of the term %v, that of no term %v, that of the next term %v", conns[0].closed, conns[1].closed, conns[2].closed)
		}
		if !ended.conns.closed || len(ended.conns.open) != 0 {
			t.Errorf("the term's pool has %d connections, and may make more: %v", len(ended.conns.open), !ended.conns.closed)
		}
		for _, p := range tr.pools {
			if p.fence == over {
				t.Error("the term's pool is kept")
			}
		}
		write(&work.Unit{Term: next})
		write(&work.Unit{})
		if len(tr.pools) != 2 || len(conns) != 3 {
			t.Errorf("then there are %d pools, and %d connections have been made", len(tr.pools), len(conns))
		}
	})
}
