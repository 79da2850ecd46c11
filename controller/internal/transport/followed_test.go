// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// TestC19AWriteIsToldBeforeTheCallerHasTheEndOfItsAnswer, however it reads it, and once; and the answer is not read
// before the caller reads it.
func TestC19AWriteIsToldBeforeTheCallerHasTheEndOfItsAnswer(t *testing.T) {
	const pod = `{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"n","name":"p","uid":"u","resourceVersion":"18"}}`
	broken := io.MultiReader(strings.NewReader(pod), iotest.ErrReader(errors.New("connection reset")))
	cases := map[string]struct {
		body io.Reader
		read func(body io.ReadCloser, told func() bool)
		want string // the version; empty if the write is in doubt
	}{
		"to the end": {strings.NewReader(pod), func(body io.ReadCloser, told func() bool) {
			piece := make([]byte, 10)
			for {
				switch _, err := body.Read(piece); {
				case err == nil && told():
					t.Error("told before the end")
				case err != nil && !told():
					t.Error("not told when the caller has the end")
				case err != nil:
					return
				}
			}
		}, "18"},
		"to the middle": {strings.NewReader(pod), func(body io.ReadCloser, _ func() bool) {
			_, _ = io.ReadFull(body, make([]byte, 10))
		}, "18"},
		"not at all": {strings.NewReader(pod), func(io.ReadCloser, func() bool) {}, "18"},
		"a broken one": {broken, func(body io.ReadCloser, _ func() bool) {
			if _, err := io.ReadAll(body); err == nil {
				t.Error("the caller is not told that the answer is broken")
			}
		}, ""},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			body := &counting{Reader: each.body}
			told := &wrote{}
			client := clientOf(t, New(Options{Observers: observe.Observers{told}}), &rest.Config{
				Transport: handler(func(*http.Request) (*http.Response, error) {
					answer := answerOf(http.StatusOK, "")
					answer.Header.Set("Content-Type", "application/json")
					answer.Body = io.NopCloser(body)
					return answer, nil
				})})
			unit := &work.Unit{Kind: report.Item}
			resp, err := client.Do(request(t, work.NewContext(t.Context(), unit), http.MethodPut, pods))
			if err != nil {
				t.Fatal(err)
			}
			if body.reads > 0 {
				t.Errorf("the answer was read %d times before the caller has read it", body.reads)
			}
			if calls := unit.Outstanding(); len(calls) != 1 || calls[0].Phase != work.Reading {
				t.Errorf("before the answer is read, these calls are outstanding: %+v", calls)
			}
			each.read(resp.Body, func() bool { return len(told.writes) > 0 })
			_ = resp.Body.Close()
			_ = resp.Body.Close()
			if len(told.writes) != 1 || told.writes[0].Version != each.want || told.writes[0].Unknown != (each.want == "") {
				t.Errorf("told %+v", told.writes)
			}
		})
	}
}
