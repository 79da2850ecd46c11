// SPDX-License-Identifier: Apache-2.0

package command_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/command"
)

// page is that of a program, with a reconcile that is stuck and one that is not.
func page(t *testing.T) string {
	t.Helper()
	const snapshot = `{"name":"shops","at":"2026-11-27T18:00:00Z","state":"running","leadership":{"lease":"shop/shops","leads":true,"left":8.5},
"controllers":[{"name":"shop","kind":"Shop.example.com","workers":4,"scope":"term","serving":true,
"inFlight":[{"namespace":"n","name":"a","age":61,"left":-1,"stuck":true,"attempt":3,"why":{"reason":"related_changed"},
"calls":[{"verb":"patch","resource":"deployments.apps","namespace":"n","name":"a","phase":"sent","age":59.5}]},
{"namespace":"n","name":"b","age":0.012,"left":60,"attempt":1,"why":{"reason":"retry"},"calls":[]}],
"queue":{"ready":1,"delayed":2,"parked":3}}],
"caches":[{"kind":"Shop","objects":3,"synced":false,"failing":12,"error":"the API server answered Forbidden (403)"}],
"shutdown":{"cancelled":2,"finishing":0,"notStarted":6,"writes":1},"unknown":{"of":"a newer version"}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.String() {
		case "/page/snapshot":
			fmt.Fprint(w, snapshot)
		case "/page/stories?name=a&namespace=n":
			fmt.Fprint(w, `{"stories":[{"name":"a","total":3}],"text":"Shop n/a\n"}`)
		case "/page/stories?name=x&namespace=":
			fmt.Fprint(w, `{"stories":[],"text":""}`)
		default:
			http.Error(w, "not here: "+r.URL.String(), http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func lanyard(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command.Run(t.Context(), args, &out, &out)
	return out.String(), err
}

func TestTopPrintsTheTreeOnceWithoutColoursIntoAFile(t *testing.T) {
	got, err := lanyard(t, "top", "--address", page(t))
	if err != nil || strings.Contains(got, "\x1b") {
		t.Errorf("%q, %v", got, err)
	}
	for _, want := range []string{
		"shops at ", "term of the Lease shop/shops: this process leads, 8.5s left\n",
		"  shop (Shop.example.com): 2 of 4 workers busy; queue: 1 ready, 2 delayed, 3 waiting for caches\n",
		"    n/a  1m1s, -1s left, attempt 3, related changed, in patch deployments.apps n/a (sent, 1m0s), STUCK\n",
		"    n/b  12ms, 1m0s left, retry\n",
		"cache of Shop: not fed for 12s the API server answered Forbidden (403)\n",
		"a shutdown now: 2 cancelled, 1 cut-off writes, 0 with time to finish, 6 not started\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not print %q but\n%s", want, got)
		}
	}
}

func TestTopAndWhyHaveJSON(t *testing.T) {
	address := page(t)
	got, err := lanyard(t, "top", "--address", address, "-o", "json")
	if err != nil || !json.Valid([]byte(got)) || !strings.Contains(got, "a newer version") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err = lanyard(t, "why", "n/a", "--address", address, "-o", "json"); err != nil || !json.Valid([]byte(got)) || !strings.Contains(got, `"total": 3`) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err = lanyard(t, "why", "n/a", "--address", address); err != nil || got != "Shop n/a\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatCannotBeAskedIsOneClearError(t *testing.T) {
	address := page(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"top"}, "name the program: --address"},
		{[]string{"top", "--address", "localhost:8082"}, "is no URL"},
		{[]string{"top", "--address", address + "/elsewhere"}, "403 Forbidden: not here"},
		{[]string{"top", "--address", "http://127.0.0.1:1"}, "is it run with -page-addr?"},
		{[]string{"top", "--address", address, "-o", "yaml"}, "it is json, or nothing"},
		{[]string{"top", "--address", address, "--token-file", token}, "for an https address only"},
		{[]string{"why", "x", "--address", address}, "no controller of this process knows an object x"},
		{[]string{"why"}, "takes one object"},
		{[]string{"top", "--pod", "p", "--kubeconfig", "/no/such/file"}, "load the kubeconfig"},
	} {
		_, err := lanyard(t, test.args...)
		assertLine(t, err, test.says)
	}
}
