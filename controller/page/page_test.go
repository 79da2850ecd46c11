// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/page"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ page.Source = (*controller.Manager)(nil)

// source counts the snapshots, which are as large as size.
type source struct {
	snapshots atomic.Int64
	size      int
}

func (s *source) Snapshot() *snapshot.Snapshot {
	s.snapshots.Add(1)
	object := snapshot.Object{Namespace: "shop", Name: "web</script>"}
	return &snapshot.Snapshot{
		State: snapshot.Running, Recent: []snapshot.Reconcile{{Object: object}}, Orphans: []string{strings.Repeat("x", s.size)},
	}
}

func (s *source) Stories(object reconcile.Request) []*snapshot.Story {
	if object.Namespace != "shop" {
		return []*snapshot.Story{}
	}
	return []*snapshot.Story{{Object: snapshot.Object{Namespace: object.Namespace, Name: object.Name}, Controller: "c", Kind: "Shop"}}
}

func ask(t *testing.T, handler http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

func TestEachAnswerLimitsWhatAPageMayDo(t *testing.T) {
	handler := page.New(&source{}, page.Options{})
	for _, path := range []string{"/", "/page.js", "/page.css", "/icon.svg", "/snapshot", "/stories?namespace=shop&name=web", "/save"} {
		answer := ask(t, handler, path)
		policy := answer.Header().Get("Content-Security-Policy")
		if answer.Code != 200 || !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d, %q", path, answer.Code, policy)
		}
		if answer.Header().Get("X-Content-Type-Options") != "nosniff" || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, answer.Header())
		}
	}
	html := ask(t, handler, "/").Body.String()
	for _, foreign := range []string{"http://", "https://", "<style", "onclick", "style=", "<script>"} {
		if strings.Contains(html, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
}

func TestRequestsOfOtherOriginsAreRefused(t *testing.T) {
	handler := page.New(&source{}, page.Options{})
	for name, test := range map[string]struct {
		path   string
		header []string
		want   int
	}{
		"a fetch":           {"/snapshot", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, 403},
		"of the same site":  {"/snapshot", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"a frame":           {"/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		"a link to save":    {"/save", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		"an older browser":  {"/snapshot", []string{"Origin", "http://attacker.example"}, 403},
		"an opaque origin":  {"/snapshot", []string{"Origin", "null"}, 403},
		"a link":            {"/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"its own":           {"/snapshot", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}, 200},
		"the address bar":   {"/", []string{"Sec-Fetch-Site", "none"}, 200},
		"a terminal":        {"/snapshot", nil, 200},
		"no name to a name": {"/stories?namespace=shop", nil, 400},
	} {
		if got := ask(t, handler, test.path, test.header...); got.Code != test.want {
			t.Errorf("%s: %d, want %d", name, got.Code, test.want)
		}
	}
}

func TestAStoryIsToldAsJSONAndAsText(t *testing.T) {
	handler := http.StripPrefix("/page", page.New(&source{}, page.Options{}))
	var told struct {
		Stories []snapshot.Story
		Text    string
	}
	if err := json.Unmarshal(ask(t, handler, "/page/stories?namespace=shop&name=web").Body.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if len(told.Stories) != 1 || told.Stories[0].Name != "web" || !strings.HasPrefix(told.Text, "Shop shop/web, controller c") {
		t.Errorf("%+v", told)
	}
	text := ask(t, handler, "/page/stories?namespace=shop&name=web&format=text").Body.String()
	if text != told.Text {
		t.Errorf("as text: %q", text)
	}
	if got := ask(t, handler, "/page/stories?name=unknown").Body.String(); got != `{"stories":[],"text":""}`+"\n" {
		t.Errorf("of an unknown object: %s", got)
	}
}

func TestASavedPageIsOneFileWithItsData(t *testing.T) {
	saved := ask(t, page.New(&source{}, page.Options{Name: "shops"}), "/save").Body.String()
	for _, foreign := range []string{`href="page`, `src="`, "web</script>"} {
		if strings.Contains(saved, foreign) {
			t.Errorf("it has %q", foreign)
		}
	}
	_, rest, _ := strings.Cut(saved, `<script type="application/json" id="saved">`)
	data, _, _ := strings.Cut(rest, "</script>")
	var content struct {
		Snapshot struct {
			Name   string
			Recent []snapshot.Reconcile
		}
		Stories map[string]struct{ Text string }
	}
	if err := json.Unmarshal([]byte(data), &content); err != nil {
		t.Fatalf("%v of %s", err, data)
	}
	if content.Snapshot.Name != "shops" || len(content.Snapshot.Recent) != 1 || content.Stories["shop/web</script>"].Text == "" {
		t.Errorf("%+v", content)
	}
}

// viewer follows a page.
type viewer struct {
	stop context.CancelFunc
	done chan struct{}
	pipe *io.PipeReader
	code int
}

// writer is a response that goes into a pipe.
type writer struct {
	*io.PipeWriter
	header http.Header
	code   *int
}

func (w writer) Header() http.Header              { return w.header }
func (w writer) WriteHeader(code int)             { *w.code = code }
func (w writer) Flush()                           {}
func (w writer) SetWriteDeadline(time.Time) error { return nil }

func follow(t *testing.T, handler http.Handler) *viewer {
	v := &viewer{done: make(chan struct{})}
	var ctx context.Context
	ctx, v.stop = context.WithCancel(t.Context())
	reader, pipe := io.Pipe()
	v.pipe = reader
	go func() {
		defer close(v.done)
		handler.ServeHTTP(writer{pipe, http.Header{}, &v.code}, httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", http.NoBody))
		_ = pipe.Close()
	}()
	return v
}

func (v *viewer) end() {
	v.stop()
	_ = v.pipe.Close()
	<-v.done
}

func TestAllViewersShareASnapshotAndNobodyCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		handler := page.New(s, page.Options{Interval: time.Second, Viewers: 3})
		time.Sleep(time.Minute)
		if n := s.snapshots.Load(); n != 0 {
			t.Errorf("%d snapshots while nobody looks", n)
		}
		var all []*viewer
		for range 3 {
			v := follow(t, handler)
			all = append(all, v)
			go func() { _, _ = io.Copy(io.Discard, v.pipe) }()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(9*time.Second + 500*time.Millisecond)
		if n := s.snapshots.Load(); n != 10 {
			t.Errorf("%d snapshots for 3 viewers in 9.5 seconds, want 10", n)
		}
		one := follow(t, handler)
		refused, err := io.ReadAll(one.pipe)
		if <-one.done; one.code != 503 || !strings.Contains(string(refused), "too many viewers") {
			t.Errorf("one viewer too many: %d %q, %v", one.code, refused, err)
		}
		for _, v := range all {
			v.end()
		}
		n := s.snapshots.Load()
		time.Sleep(time.Minute)
		if again := s.snapshots.Load(); again != n {
			t.Errorf("%d snapshots after all have gone", again-n)
		}
		next := follow(t, handler) // there is room again
		line, err := bufio.NewReader(next.pipe).ReadString('\n')
		if !strings.HasPrefix(line, `data: {"name":"Lanyard","at":`) {
			t.Errorf("%q, %v", line, err)
		}
		next.end()
	})
}

func TestAViewerAsksAgainAfterSomeMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := follow(t, page.New(&source{}, page.Options{}))
		go func() { _, _ = io.Copy(io.Discard, v.pipe) }()
		time.Sleep(9 * time.Minute)
		select {
		case <-v.done:
			t.Error("it was sent away too early")
		default:
		}
		time.Sleep(2 * time.Minute)
		<-v.done
		v.end()
	})
}

// TestAViewerThatNeverReadsHoldsNoMemory connects viewers that read nothing, to a page with a megabyte in each
// update.
func TestAViewerThatNeverReadsHoldsNoMemory(t *testing.T) {
	s := &source{size: 1 << 20}
	handler := page.New(s, page.Options{Interval: 10 * time.Millisecond, SlowViewer: 200 * time.Millisecond})
	left := make(chan struct{}, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		left <- struct{}{}
	}))
	defer server.Close()
	before := inUse()
	var conns []net.Conn
	defer func() { // before the server, which waits for them
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for range 8 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if _, err := fmt.Fprintf(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	for range conns {
		select {
		case <-left:
		case <-time.After(time.Minute):
			t.Fatal("a viewer that never reads was not sent away")
		}
	}
	if after := inUse(); after > before+4<<20 {
		t.Errorf("%d bytes more are in use", after-before)
	}
}

func inUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
