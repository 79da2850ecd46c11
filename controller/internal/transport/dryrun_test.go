// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/report"
)

// dryServer is an API server that notes what it gets.
type dryServer struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	body []byte
	who  string
}

func newDryServer(t *testing.T) *dryServer {
	s := &dryServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, req.Method+" "+req.URL.RequestURI())
		s.body = body
		s.who = req.Header.Get("Authorization")
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *dryServer) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// dryClient is a client of a dry manager.
func dryClient(t *testing.T, config *rest.Config) *http.Client {
	t.Helper()
	tr := New(Options{Dry: true})
	t.Cleanup(tr.Close)
	return clientOf(t, tr, Dry(config, nil))
}

func TestC33EveryWriteIsSentDryAndWhatCannotBeIsRefused(t *testing.T) {
	s := newDryServer(t)
	const pod = "/api/v1/namespaces/n/pods/p"
	for _, c := range []struct{ method, path, upgrade, want string }{ // want: the query; "refused"
		{"GET", pod, "", ""},
		{"GET", "/version", "", ""},
		{"GET", "/api/v1/pods?watch=true", "", "watch=true"},
		{"GET", pod + "/log?follow=true", "", "follow=true"},
		{"GET", "/api/v1/namespaces/n/configmaps/proxy", "", ""},
		{"POST", "/api/v1/namespaces/n/pods", "", "dryRun=All"},
		{"PUT", pod + "?fieldManager=m", "", "fieldManager=m&dryRun=All"},
		{"PATCH", pod + "/status?dryRun=&force=true", "", "force=true&dryRun=All"},
		{"PATCH", pod + "?dry%52un=None&dryRun=All", "", "dryRun=All"},
		{"PATCH", pod + "?dryRun", "", "dryRun=All"},
		{"DELETE", pod, "", "dryRun=All"},
		{"DELETE", "/apis/apps/v1/namespaces/n/deployments?labelSelector=a%3Db", "", "labelSelector=a%3Db&dryRun=All"},
		{"POST", pod + "/eviction", "", "dryRun=All"},
		{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "", "dryRun=All"},
		{"POST", "/api/v1/namespaces/n/serviceaccounts/a/token", "", "refused"},
		{"POST", pod + "/exec?command=rm", "", "refused"},
		{"GET", pod + "/exec?command=rm", "", "refused"},
		{"GET", pod + "/portforward", "", "refused"},
		{"POST", pod + "/attach", "", "refused"},
		{"GET", pod + "/proxy/restart", "", "refused"},
		{"GET", "/other" + pod + "/proxy/restart", "", "refused"},
		{"GET", "/api/v1/nodes/n/proxy/run", "", "refused"},
		{"PUT", "/api/v1/namespaces/n/services/s/proxy", "", "refused"},
		{"GET", "/apis/example.com/v1/namespaces/n/machines/m/console", "websocket", "refused"},
		{"POST", "/logs", "", "refused"},
		{"POST", "/other" + pod, "", "refused"},
		{"POST", "/api/v1", "", "refused"},
		{"TRACE", "/anything", "", "refused"},
	} {
		for _, prefix := range []string{"", "/k8s/clusters/api"} {
			if prefix != "" && strings.HasPrefix(c.path, "/other") {
				continue // nobody can tell which API that path is of
			}
			config := &rest.Config{Host: s.URL + prefix}
			req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+prefix+c.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if c.upgrade != "" {
				req.Header.Set("Upgrade", c.upgrade)
			}
			resp, err := dryClient(t, config).Do(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			got := s.take()
			switch {
			case c.want == "refused":
				if !errors.Is(err, plan.ErrRefused) || len(got) > 0 {
					t.Errorf("%s %s%s: sent %q, the error is %v", c.method, prefix, c.path, got, err)
				}
			case err != nil || len(got) != 1:
				t.Errorf("%s %s%s: sent %q, the error is %v", c.method, prefix, c.path, got, err)
			default:
				if _, query, _ := strings.Cut(got[0], "?"); query != c.want {
					t.Errorf("%s %s%s: sent %s, want the query %q", c.method, prefix, c.path, got[0], c.want)
				}
			}
		}
	}
}

// TestC33TheOptionsInABodyAreDryToo, because the API server takes them in place of the query.
func TestC33TheOptionsInABodyAreDryToo(t *testing.T) {
	options := &metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](7), PropagationPolicy: ptr.To(metav1.DeletePropagationForeground),
		Preconditions: &metav1.Preconditions{UID: ptr.To[types.UID]("u"), ResourceVersion: ptr.To("17")},
	}
	s := newDryServer(t)
	client := dryClient(t, &rest.Config{Host: s.URL})
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR, ""} {
		body := string(encodeOptions(t, mediaType, options))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.URL+"/api/v1/namespaces/n/pods/p", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", mediaType)
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%q: %v", mediaType, err)
			continue
		}
		_ = resp.Body.Close()
		var got metav1.DeleteOptions
		decodeOptions(t, mediaType, s.body, &got)
		if !slices.Equal(got.DryRun, []string{metav1.DryRunAll}) || *got.GracePeriodSeconds != 7 || *got.PropagationPolicy != "Foreground" ||
			*got.Preconditions.UID != "u" || *got.Preconditions.ResourceVersion != "17" {
			t.Errorf("%q: sent %+v", mediaType, got)
		}
	}
	s.take()
	for _, bad := range [][2]string{
		{"application/yaml", "kind: DeleteOptions"}, {"application/json", "null"}, {"application/json", `{"dryRun":[]} {}`},
		{"application/json", "[]"}, {"application/vnd.kubernetes.protobuf", "{}"}, {"application/cbor", "\xff"}, {";", "{}"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.URL+"/api/v1/namespaces/n/pods/p", strings.NewReader(bad[1]))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", bad[0])
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if got := s.take(); !errors.Is(err, plan.ErrRefused) || len(got) > 0 {
			t.Errorf("%q: sent %q, the error is %v", bad, got, err)
		}
	}
}

func encodeOptions(t *testing.T, mediaType string, options *metav1.DeleteOptions) []byte {
	t.Helper()
	options.TypeMeta = metav1.TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"}
	if mediaType == runtime.ContentTypeCBOR {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(options)
		if err != nil {
			t.Fatal(err)
		}
		body, err := direct.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	body, err := runtime.Encode(serializerOf(t, mediaType), options)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decodeOptions(t *testing.T, mediaType string, body []byte, options *metav1.DeleteOptions) {
	t.Helper()
	if mediaType == runtime.ContentTypeCBOR {
		if err := direct.Unmarshal(body, options); err != nil {
			t.Fatal(err)
		}
		return
	}
	if _, _, err := serializerOf(t, mediaType).Decode(body, nil, options); err != nil {
		t.Fatalf("%q: %v", mediaType, err)
	}
}

func serializerOf(t *testing.T, mediaType string) runtime.Serializer {
	t.Helper()
	if mediaType == "" {
		mediaType = runtime.ContentTypeJSON
	}
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
	if !ok {
		t.Fatalf("no %s", mediaType)
	}
	return info.Serializer
}

// TestC33NoRoundTripperLeavesTheMode: neither one of the configuration, nor the user's own transport, nor a
// client whose wrapper was taken off.
func TestC33NoRoundTripperLeavesTheMode(t *testing.T) {
	s := newDryServer(t)
	stripping := func(next http.RoundTripper) http.RoundTripper {
		return handler(func(req *http.Request) (*http.Response, error) {
			stripped := req.Clone(req.Context())
			stripped.URL.RawQuery = url.Values{"force": {"true"}}.Encode()
			stripped.Method = http.MethodPost
			return next.RoundTrip(stripped)
		})
	}
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	for name, config := range map[string]*rest.Config{
		"a wrapper":        {Host: s.URL, BearerToken: "secret", WrapTransport: stripping},
		"a transport":      {Host: s.URL, BearerToken: "secret", Transport: own, WrapTransport: stripping},
		"bare":             {Host: s.URL, BearerToken: "secret"},
		"a bare transport": {Host: s.URL, BearerToken: "secret", Transport: own},
	} {
		tr := New(Options{Dry: true})
		t.Cleanup(tr.Close)
		made := tr.Instrument(Dry(config, nil))
		wrapped := rest.CopyConfig(made)
		wrapped.Wrap(stripping)
		for _, wrapped := range []*rest.Config{made, wrapped} {
			post(t, wrapped, s.URL)
			for _, got := range s.take() {
				if !strings.HasSuffix(got, "dryRun=All") || s.who != "Bearer secret" {
					t.Errorf("%s: sent %s by %q", name, got, s.who)
				}
			}
		}
		made.WrapTransport = nil
		post(t, made, s.URL)
		// The user's own transport may have credentials of its own.
		if got := s.take(); (s.who != "" || config.Transport != nil) && !strings.HasSuffix(got[0], "dryRun=All") {
			t.Errorf("%s: without its wrapper it sends %q by %q", name, got, s.who)
		}
	}
}

func post(t *testing.T, config *rest.Config, host string) {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+"/api/v1/namespaces/n/pods", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	client.CloseIdleConnections()
}

// wrote keeps the writes of which it is told.
type wrote struct {
	observe.Nop
	writes []observe.Write
}

func (w *wrote) CallWrote(_ context.Context, _ *observe.Call, write *observe.Write) {
	w.writes = append(w.writes, *write)
}

// TestC33NobodyIsToldOfAWriteThatWasNone: nothing waits for it in a cache, and no loop is found.
func TestC33NobodyIsToldOfAWriteThatWasNone(t *testing.T) {
	s := newDryServer(t)
	for _, dry := range []bool{false, true} {
		told := &wrote{}
		tr := New(Options{Dry: dry, Observers: observe.Observers{told}})
		t.Cleanup(tr.Close)
		config := &rest.Config{Host: s.URL}
		if dry {
			config = Dry(config, nil)
		}
		ctx := work.NewContext(t.Context(), &work.Unit{Kind: report.Item})
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/namespaces/n/pods", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := clientOf(t, tr, config).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if (len(told.writes) == 0) != dry {
			t.Errorf("dry %t: told of %d writes", dry, len(told.writes))
		}
	}
}
