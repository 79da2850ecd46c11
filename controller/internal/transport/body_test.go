// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"k8s.io/client-go/rest"
)

// counting counts how often it is read, and gives all that there is room for.
type counting struct {
	io.Reader
	reads int
}

func (c *counting) Read(p []byte) (int, error) { c.reads++; return c.Reader.Read(p) }

func TestAWatchIsReadInLargePieces(t *testing.T) {
	const size = 1 << 20
	for path, most := range map[string]int{"/api/v1/pods?watch=true": size/watchBuffer + 1, pods: size/100 + 2} {
		body := &counting{Reader: bytes.NewReader(make([]byte, size))}
		client := clientOf(t, New(Options{}), &rest.Config{Transport: handler(func(*http.Request) (*http.Response, error) {
			answer := answerOf(200, "")
			answer.Body = io.NopCloser(body)
			return answer, nil
		})})
		resp, err := client.Do(request(t, t.Context(), "GET", path))
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for piece := make([]byte, 100); err == nil; { // as a decoder, which wants one event
			var n int
			n, err = resp.Body.Read(piece)
			total += n
		}
		_ = resp.Body.Close()
		if total != size || body.reads > most {
			t.Errorf("%s: %d bytes in %d reads, want %d in at most %d", path, total, body.reads, size, most)
		}
	}
}
