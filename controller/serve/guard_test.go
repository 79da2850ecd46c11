// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/serve"
)

// reviewer is an API server that knows the tokens "reader", "other" and "foreign", and that reader may get /metrics.
type reviewer struct {
	mu     sync.Mutex
	asked  []string
	broken error
	code   int // of its answers; 0 for 201
}

func (f *reviewer) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	if f.broken != nil {
		return nil, f.broken
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var answer any
	switch {
	case f.code != 0:
		answer = metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Code: int32(f.code)}
	case strings.HasSuffix(r.URL.Path, "/tokenreviews"):
		var review authenticationv1.TokenReview
		if err := json.Unmarshal(body, &review); err != nil {
			return nil, err
		}
		token := review.Spec.Token
		review.Status.Authenticated = token == "reader" || token == "other" || token == "foreign"
		review.Status.User.Username = token
		if review.Status.Audiences = review.Spec.Audiences; token == "foreign" {
			review.Status.Audiences = []string{"another"}
		}
		answer = review
	default:
		var review authorizationv1.SubjectAccessReview
		if err := json.Unmarshal(body, &review); err != nil {
			return nil, err
		}
		asked := review.Spec.NonResourceAttributes
		review.Status.Allowed = review.Spec.User == "reader" && asked.Path == "/metrics" && asked.Verb == "get"
		answer = review
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json")
	recorder.WriteHeader(max(f.code, http.StatusCreated))
	_, _ = recorder.Write(encoded)
	return recorder.Result(), nil
}

func (f *reviewer) questions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func guardOf(t *testing.T, f *reviewer, options serve.GuardOptions) *serve.Guard {
	t.Helper()
	guard, err := serve.NewGuard(&rest.Config{Host: "http://api.invalid", Transport: f, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, options)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func ask(t *testing.T, handler http.Handler, method, path, authorization string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK && bytes.Contains(answer.Body.Bytes(), []byte("planted")) {
		t.Errorf("%d has the content: %s", answer.Code, answer.Body)
	}
	return answer.Code
}

var content = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "planted") })

func TestAGuardLetsThroughOnlyWhoMay(t *testing.T) {
	f := &reviewer{}
	guarded := guardOf(t, f, serve.GuardOptions{}).Handler(content)
	for name, test := range map[string]struct {
		method, path, authorization string
		want                        int
	}{
		"no token":          {"GET", "/metrics", "", 401},
		"another scheme":    {"GET", "/metrics", "Basic reader", 401},
		"an empty token":    {"GET", "/metrics", "Bearer  ", 401},
		"an unknown token":  {"GET", "/metrics", "Bearer nobody", 401},
		"no permission":     {"GET", "/metrics", "Bearer other", 403},
		"another path":      {"GET", "/page/", "Bearer reader", 403},
		"another method":    {"POST", "/metrics", "Bearer reader", 403},
		"a path above":      {"GET", "/metrics/../page/", "Bearer reader", 403},
		"permission":        {"GET", "/metrics", "Bearer reader", 200},
		"a scheme in lower": {"GET", "/metrics", "bearer reader", 200},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, guarded, test.method, test.path, test.authorization); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestAGuardRefusesATokenForAnotherAudience(t *testing.T) {
	guarded := guardOf(t, &reviewer{}, serve.GuardOptions{Audiences: []string{"metrics"}}).Handler(content)
	if got := ask(t, guarded, "GET", "/metrics", "Bearer foreign"); got != 401 {
		t.Errorf("%d, want 401", got)
	}
	if got := ask(t, guarded, "GET", "/metrics", "Bearer reader"); got != 200 {
		t.Errorf("one for this audience: %d", got)
	}
}

func TestAGuardAsksAgainWhenItsAnswersAreOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &reviewer{}
		guarded := guardOf(t, f, serve.GuardOptions{Remember: time.Minute}).Handler(content)
		for range 3 {
			ask(t, guarded, "GET", "/metrics", "Bearer reader")
			ask(t, guarded, "GET", "/metrics", "Bearer nobody")
		}
		if asked := f.questions(); len(asked) != 3 {
			t.Errorf("asked %q", asked)
		}
		ask(t, guarded, "GET", "/page/", "Bearer reader")
		if asked := f.questions(); len(asked) != 1 || asked[0] != "subjectaccessreviews" {
			t.Errorf("for another path it asked %q", asked)
		}
		time.Sleep(time.Minute + time.Second)
		f.broken = errors.New("the API server does not answer")
		if got := ask(t, guarded, "GET", "/metrics", "Bearer reader"); got != 503 {
			t.Errorf("when nobody can be asked: %d", got)
		}
	})
}

func TestAGuardThatMayNotAskFailsAtTheStart(t *testing.T) {
	err := guardOf(t, &reviewer{code: 403}, serve.GuardOptions{}).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "system:auth-delegator") {
		t.Errorf("the error is %v", err)
	}
	if err := guardOf(t, &reviewer{}, serve.GuardOptions{}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := guardOf(t, &reviewer{broken: errors.New("no answer")}, serve.GuardOptions{}).Check(t.Context()); err != nil {
		t.Errorf("without an answer: %v", err)
	}
}
