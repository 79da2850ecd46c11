// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

const configMaps = "/api/v1/namespaces/default/configmaps"

// feedServer answers lists and watches of ConfigMaps.
type feedServer struct {
	version string // of lists; empty: they are forbidden
	watch   func(*http.Request) (*http.Response, error)
	asked   []string
}

func (s *feedServer) answer(req *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, req.URL.RawQuery)
	switch {
	case strings.Contains(req.URL.RawQuery, "watch="):
		return s.watch(req)
	case s.version == "":
		return answerOf(http.StatusForbidden, "{}"), nil
	}
	return answerOf(http.StatusOK, `{"metadata":{"resourceVersion":"`+s.version+`","continue":"more"},"items":[{}]}`), nil
}

func openWatch(*http.Request) (*http.Response, error) { return answerOf(http.StatusOK, ""), nil }

// ask makes a call for an informer.
func ask(t *testing.T, s *feedServer, unit *work.Unit, query string) *http.Response {
	t.Helper()
	client := clientOf(t, New(Options{}), &rest.Config{Transport: handler(s.answer)})
	resp, err := client.Do(request(t, work.NewContext(t.Context(), unit), "GET", configMaps+"?"+query))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func informerUnit() *work.Unit { return &work.Unit{Kind: report.Informer, Streams: &work.Streams{}} }

func TestAWatchFromAVersionThatTheServerHasNotReachedIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		version, query string
		gone           bool
		requests       int
	}{
		"older":              {"99", "watch=true&resourceVersion=100&labelSelector=a%3Db", true, 1},
		"the same":           {"100", "watch=true&resourceVersion=100", false, 2},
		"newer":              {"1000", "watch=true&resourceVersion=999", false, 2},
		"no number":          {"x", "watch=true&resourceVersion=100", false, 2},
		"list is forbidden":  {"", "watch=true&resourceVersion=100", false, 2},
		"from the beginning": {"99", "watch=true&resourceVersion=0", false, 1},
		"a streaming list":   {"99", "watch=true&resourceVersion=100&sendInitialEvents=true", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, unit := &feedServer{version: test.version, watch: openWatch}, informerUnit()
			resp := ask(t, s, unit, test.query)
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if gone := resp.StatusCode == http.StatusGone; gone != test.gone || len(s.asked) != test.requests {
				t.Errorf("%d %s after %q", resp.StatusCode, body, s.asked)
			}
			told := unit.Streams.LastRewind()
			if test.gone != (told == work.Rewind{From: "100", To: "99", Count: 1}) || test.gone && !strings.Contains(string(body), `"reason":"Expired"`) {
				t.Errorf("told %+v, %s", told, body)
			}
			if test.gone && !strings.HasPrefix(s.asked[0], "labelSelector=a%3Db&limit=1") {
				t.Errorf("asked %q", s.asked)
			}
			for _, stream := range unit.Streams.All(time.Now()) {
				if stream.Errors > 0 {
					t.Errorf("the question counts as %v", stream.Err)
				}
			}
		})
	}
}

func TestAListNeedsNoQuestionBeforeItsWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, unit := &feedServer{version: "99", watch: openWatch}, informerUnit()
		_ = ask(t, s, unit, "").Body.Close()
		_ = ask(t, s, unit, "watch=true&resourceVersion=99").Body.Close()
		if len(s.asked) != 2 {
			t.Errorf("asked %q", s.asked)
		}
		time.Sleep(time.Minute)
		_ = ask(t, s, unit, "watch=true&resourceVersion=99").Body.Close()
		if len(s.asked) != 4 {
			t.Errorf("asked %q", s.asked)
		}
	})
}

func TestTheStreamsOfAnInformerKnowHowItsWatchGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, unit := &feedServer{version: "9", watch: openWatch}, informerUnit()
		state := func() work.Stream { return unit.Streams.All(time.Now())[0] }
		resp := ask(t, s, unit, "watch=true&resourceVersion=0")
		time.Sleep(time.Minute)
		if now := state(); !now.Since.IsZero() || now.Name != "configmaps in default" {
			t.Errorf("while it is open: %+v", now)
		}
		_ = resp.Body.Close()
		closed := time.Now()
		s.watch = func(*http.Request) (*http.Response, error) { return answerOf(http.StatusForbidden, "{}"), nil }
		time.Sleep(time.Second)
		_ = ask(t, s, unit, "watch=true&resourceVersion=0").Body.Close()
		if now := state(); !now.Since.Equal(closed) || !apierrors.IsForbidden(now.Err) || now.Errors != 1 {
			t.Errorf("forbidden: %+v", now)
		}
		s.watch = func(*http.Request) (*http.Response, error) { return nil, errors.New("the connection broke") }
		client := clientOf(t, New(Options{}), &rest.Config{Transport: handler(s.answer)})
		if _, err := client.Do(request(t, work.NewContext(t.Context(), unit), "GET", configMaps+"?watch=true")); err == nil { //nolint:bodyclose // there is none
			t.Fatal("no error")
		}
		if now := state(); !now.Since.Equal(closed) || now.Errors != 2 || !strings.Contains(now.Err.Error(), "the connection broke") {
			t.Errorf("broken: %+v", now)
		}
	})
}
