// SPDX-License-Identifier: Apache-2.0

package clientset

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/deprecated"
	"github.com/lanyard-k8s/lanyard/clientset/deprecated/fake"
	"github.com/lanyard-k8s/lanyard/clientset/deprecated/scheme"
	old "github.com/lanyard-k8s/lanyard/clientset/deprecated/typed/wardle/v1beta1"
	versionedscheme "github.com/lanyard-k8s/lanyard/clientset/versioned/scheme"
)

const (
	collection = "/apis/wardle.example.com/v1beta1/namespaces/ns/flunders"
	object     = collection + "/f"
)

func flunder() *v1beta1.Flunder {
	return &v1beta1.Flunder{ObjectMeta: metav1.ObjectMeta{Name: "f", Namespace: "ns", ResourceVersion: "1"}}
}

// oldCall is a call of the client without contexts, with what the server and the fake see of it.
type oldCall struct {
	name    string
	call    func(old.FlunderInterface) error
	request string // method, path and query
	body    string // a part of the request's body; "" for none
	action  string // verb, and the subresource if there is one
	method  string // of the interface
}

// oldCalls call all methods.
//
// Deprecated: these are, and who may call them unreported is deprecated too. So are the tests below.
func oldCalls() []oldCall {
	return []oldCall{
		{"Get", func(c old.FlunderInterface) error {
			_, err := c.Get("f", metav1.GetOptions{ResourceVersion: "7"})
			return err
		}, "GET " + object + "?resourceVersion=7", "", "get", "Get"},
		{"List", func(c old.FlunderInterface) error {
			_, err := c.List(metav1.ListOptions{LabelSelector: "a=b"})
			return err
		}, "GET " + collection + "?labelSelector=a%3Db", "", "list", "List"},
		{"Watch", func(c old.FlunderInterface) error {
			w, err := c.Watch(metav1.ListOptions{LabelSelector: "a=b"})
			if err == nil {
				w.Stop()
			}
			return err
		}, "GET " + collection + "?labelSelector=a%3Db&watch=true", "", "watch", "Watch"},
		{"Create", func(c old.FlunderInterface) error {
			_, err := c.Create(flunder())
			return err
		}, "POST " + collection, `"name":"f"`, "create", "Create"},
		{"Update", func(c old.FlunderInterface) error {
			_, err := c.Update(flunder())
			return err
		}, "PUT " + object, `"name":"f"`, "update", "Update"},
		{"UpdateStatus", func(c old.FlunderInterface) error {
			_, err := c.UpdateStatus(flunder())
			return err
		}, "PUT " + object + "/status", `"name":"f"`, "update/status", "UpdateStatus"},
		{"Delete with options", func(c old.FlunderInterface) error {
			return c.Delete("f", metav1.NewDeleteOptions(5))
		}, "DELETE " + object, `"gracePeriodSeconds":5`, "delete", "Delete"},
		{"Delete without options", func(c old.FlunderInterface) error {
			return c.Delete("f", nil)
		}, "DELETE " + object, `{"kind":"DeleteOptions","apiVersion":"wardle.example.com/v1beta1"}`, "delete", "Delete"},
		{"DeleteCollection with options", func(c old.FlunderInterface) error {
			return c.DeleteCollection(metav1.NewDeleteOptions(5), metav1.ListOptions{LabelSelector: "a=b"})
		}, "DELETE " + collection + "?labelSelector=a%3Db", `"gracePeriodSeconds":5`, "delete-collection", "DeleteCollection"},
		{"DeleteCollection without options", func(c old.FlunderInterface) error {
			return c.DeleteCollection(nil, metav1.ListOptions{})
		}, "DELETE " + collection, `{"kind":"DeleteOptions","apiVersion":"wardle.example.com/v1beta1"}`, "delete-collection", "DeleteCollection"},
		{"Patch", func(c old.FlunderInterface) error {
			_, err := c.Patch("f", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`))
			return err
		}, "PATCH " + object, `{"spec":{"replicas":2}}`, "patch", "Patch"},
		{"Patch of a subresource", func(c old.FlunderInterface) error {
			_, err := c.Patch("f", types.MergePatchType, []byte(`{}`), "status")
			return err
		}, "PATCH " + object + "/status", `{}`, "patch/status", "Patch"},
		{"GetScale", func(c old.FlunderInterface) error {
			_, err := c.GetScale("f", metav1.GetOptions{})
			return err
		}, "GET " + object + "/scale", "", "get/scale", "GetScale"},
		{"UpdateScale", func(c old.FlunderInterface) error {
			_, err := c.UpdateScale("f", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "f"}})
			return err
		}, "PUT " + object + "/scale", `"name":"f"`, "update/scale", "UpdateScale"},
	}
}

// TestEveryOldMethodSendsItsRequest has a server that notes what arrives.
//
// Deprecated: see oldCalls.
func TestEveryOldMethodSendsItsRequest(t *testing.T) {
	var request, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		request, body = r.Method+" "+r.URL.String(), strings.TrimSpace(string(text))
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"})
	}))
	defer server.Close()
	client, err := deprecated.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range oldCalls() {
		t.Run(c.name, func(t *testing.T) {
			request, body = "", ""
			// A Status is no Flunder; what the answer is made of is not what this is about.
			_ = c.call(client.WardleV1beta1().Flunders("ns"))
			if request != c.request {
				t.Errorf("sent %q, want %q", request, c.request)
			}
			if c.body == "" && body != "" || !strings.Contains(body, c.body) {
				t.Errorf("sent the body %q, want %q in it", body, c.body)
			}
		})
	}
}

// TestEveryOldMethodReachesTheFake notes what the fake sees.
//
// Deprecated: see oldCalls.
func TestEveryOldMethodReachesTheFake(t *testing.T) {
	for _, c := range oldCalls() {
		t.Run(c.name, func(t *testing.T) {
			client := fake.NewSimpleClientset(flunder())
			// The tracker has no scale; what counts is the action.
			client.PrependReactor("*", "flunders/scale", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, &autoscalingv1.Scale{}, nil
			})
			if c.name == "Create" {
				if err := client.Tracker().Delete(v1beta1.SchemeGroupVersion.WithResource("flunders"), "ns", "f"); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.call(client.WardleV1beta1().Flunders("ns")); err != nil {
				t.Fatal(err)
			}
			actions := client.Actions()
			if len(actions) != 1 {
				t.Fatalf("%d actions, want 1: %v", len(actions), actions)
			}
			got := actions[0].GetVerb()
			if sub := actions[0].GetSubresource(); sub != "" {
				got += "/" + sub
			}
			if got != c.action || actions[0].GetResource() != v1beta1.SchemeGroupVersion.WithResource("flunders") ||
				actions[0].GetNamespace() != "ns" {
				t.Errorf("the fake saw %v, want %s of flunders in ns", actions[0], c.action)
			}
		})
	}
}

// TestTheTableHasEveryOldMethod finds methods that oldCalls lacks.
//
// Deprecated: see oldCalls.
func TestTheTableHasEveryOldMethod(t *testing.T) {
	for method := range reflect.TypeFor[old.FlunderInterface]().Methods() {
		if !slices.ContainsFunc(oldCalls(), func(c oldCall) bool { return c.method == method.Name }) {
			t.Errorf("no call of %s", method.Name)
		}
	}
}

// TestOldAndNewClientsAreOne goes from one to the other.
//
// Deprecated: see oldCalls.
func TestOldAndNewClientsAreOne(t *testing.T) {
	client := fake.NewSimpleClientset()
	if _, err := client.WardleV1beta1().Flunders("ns").Create(flunder()); err != nil {
		t.Fatal(err)
	}
	got, err := client.WithContext().WardleV1beta1().Flunders("ns").Get(t.Context(), "f", metav1.GetOptions{})
	if err != nil || got.Name != "f" {
		t.Fatalf("the client with contexts does not see what the one without created: %v, %v", got, err)
	}
	if got := len(client.Actions()); got != 2 {
		t.Errorf("%d actions recorded, want those of both clients, 2", got)
	}
	// What sits between the two, and tests that reach for the fake of a group.
	wrapped := deprecated.NewClientset(client.WithContext())
	if wrapped.WithContext() != client.WithContext() {
		t.Error("WithContext does not return what NewClientset was given")
	}
	if _, err := wrapped.WardleV1beta1().Flunders("ns").WithContext().Get(t.Context(), "f", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if scheme.Scheme != versionedscheme.Scheme {
		t.Error("the snapshot has a scheme of its own: what is added to one is not known to the other")
	}
}

// TestANilClientsetHasNoDiscovery holds what nil clients did before contexts.
//
// Deprecated: see oldCalls.
func TestANilClientsetHasNoDiscovery(t *testing.T) {
	var client *deprecated.Clientset
	if client.Discovery() != nil {
		t.Error("a nil Clientset has a discovery client")
	}
	var group *old.WardleV1beta1Client
	if group.RESTClient() != nil {
		t.Error("a nil group client has a REST client")
	}
}
