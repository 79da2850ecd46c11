// SPDX-License-Identifier: Apache-2.0

package dryrun

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/lanyard-k8s/lanyard/controller/internal/peek"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/plan"
	"github.com/lanyard-k8s/lanyard/controller/report"
	"github.com/lanyard-k8s/lanyard/internal/apicall"
)

// RoundTripper returns a function that wraps round trippers, so that the recorder sees what goes through them. host
// is the address of the API server. What they wrap makes writes dry.
func (r *Recorder) RoundTripper(host string) func(next http.RoundTripper) http.RoundTripper {
	prefix := apicall.Prefix(host)
	return func(next http.RoundTripper) http.RoundTripper {
		return &roundTripper{next: next, prefix: prefix, recorder: r}
	}
}

type roundTripper struct {
	next     http.RoundTripper
	prefix   string
	recorder *Recorder
}

var _ utilnet.RoundTripperWrapper = (*roundTripper)(nil)

// WrappedRoundTripper returns the transport below.
func (t *roundTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// RoundTrip makes a call, and notes what it would have changed. Before an update it reads the object.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	call := apicall.ParseBelow(req, t.prefix)
	if call.Path != "" || leavesNothing(&call) {
		return t.note(&call, req, nil)
	}
	var before map[string]any
	switch call.Verb {
	case "update", "patch", "apply":
		before = t.before(req, &call)
	}
	return t.note(&call, req, before)
}

// leavesNothing reports whether a call changes nothing anyway, or only tells of something.
func leavesNothing(call *report.Call) bool {
	if apicall.ReadOnly(call) {
		return true
	}
	switch resource := apicall.Resource(call); resource {
	case "events", "events.events.k8s.io":
		return true
	default:
		_, group, _ := strings.Cut(resource, ".")
		return group == "authorization.k8s.io" || group == "authentication.k8s.io"
	}
}

// note makes a call and notes its outcome.
func (t *roundTripper) note(call *report.Call, req *http.Request, before map[string]any) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	unit := work.From(req.Context())
	object := objectOf(call)
	switch {
	case errors.Is(err, plan.ErrRefused):
		if call.Path != "" {
			object = plan.Object{Resource: call.Path}
		}
		t.recorder.refused(unit, plan.Failure{Verb: call.Verb, Object: object, Err: err})
	case err != nil:
	case resp.StatusCode >= http.StatusBadRequest:
		if call.Verb != "list" && call.Verb != "watch" {
			t.failed(call.Verb, object, unit, resp)
		}
	case !leavesNothing(call) && call.Path == "":
		if err := t.changed(call, unit, resp, before); err != nil {
			return nil, err
		}
	}
	return resp, err
}

// objectOf returns the object of a call.
func objectOf(call *report.Call) plan.Object {
	resource, subresource, _ := strings.Cut(call.Resource, "/")
	resource, group, _ := strings.Cut(resource, ".")
	return plan.Object{
		Group: group, Resource: resource, Subresource: subresource, Namespace: call.Namespace, Name: call.Name,
	}
}

// failed notes a call that the API server has refused.
func (t *roundTripper) failed(verb string, object plan.Object, unit *work.Unit, resp *http.Response) {
	body := peek.Body(resp)
	if webhook, message := withoutDryRun(body); webhook != "" {
		t.recorder.refused(unit, plan.Failure{Verb: verb, Object: object, Webhook: webhook, Err: errors.New(message)})
		return
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		t.recorder.missed(unit, verb, object, false)
	case http.StatusConflict:
		status := t.recorder.reader.object(resp.Header, body)
		if text(status, "reason") != string(metav1.StatusReasonAlreadyExists) {
			return
		}
		if object.Name == "" {
			object.Name = text(status, "details", "name")
		}
		t.recorder.missed(unit, verb, object, true)
	}
}

// withoutDryRun returns the webhook with side effects for which the API server has refused a dry run, and
// what it says of it. They are empty if there is another reason. The text is the same in all encodings, but
// for the escapes of JSON.
func withoutDryRun(body []byte) (webhook, message string) {
	const before, after = `admission webhook "`, `" does not support dry run`
	text := strings.ReplaceAll(string(body), `\"`, `"`)
	_, text, begins := strings.Cut(text, before)
	webhook, _, ends := strings.Cut(text, after)
	if !begins || !ends || strings.Contains(webhook, `"`) {
		return "", ""
	}
	return webhook, before + webhook + after
}

// changed notes a write. It reads the whole answer, which the caller can read again.
func (t *roundTripper) changed(
	call *report.Call, unit *work.Unit, resp *http.Response, before map[string]any,
) error {
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // all of it was read
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	object := objectOf(call)
	switch call.Verb {
	case "delete":
		t.recorder.changed(unit, plan.Change{Action: plan.Delete, Object: object}, nil, nil)
		return nil
	case "deletecollection":
		t.deleted(object, unit, resp.Header, body)
		return nil
	}
	after := t.recorder.reader.object(resp.Header, body)
	change := plan.Change{Action: plan.Update, Object: object}
	if resp.StatusCode == http.StatusCreated {
		change.Action = plan.Create
		before = nil
	}
	if change.Object.Kind = text(after, "kind"); change.Object.Kind == "Status" {
		change.Object.Kind = "" // an eviction or a binding has no object to answer with
		after = map[string]any{}
	}
	if call.Verb == "create" {
		if change.Object.GenerateName = text(after, "metadata", "generateName"); change.Object.GenerateName == "" && change.Object.Name == "" {
			change.Object.Name = text(after, "metadata", "name")
		}
	}
	t.recorder.changed(unit, change, before, after)
	return nil
}

// deleted notes the objects of a collection that would be deleted.
func (t *roundTripper) deleted(object plan.Object, unit *work.Unit, header http.Header, body []byte) {
	items, ok := t.recorder.reader.items(header, body)
	if !ok {
		t.recorder.changed(unit, plan.Change{Action: plan.Delete, Object: object, Unread: true}, nil, nil)
		return
	}
	for _, item := range items {
		of := object
		of.Name = text(item, "metadata", "name")
		of.Namespace = text(item, "metadata", "namespace")
		t.recorder.changed(unit, plan.Change{Action: plan.Delete, Object: of}, nil, nil)
	}
}

// before returns the object of a call as it is, or nil. An account that may not get it may perhaps list it,
// as informers do.
func (t *roundTripper) before(req *http.Request, call *report.Call) map[string]any {
	address := *req.URL
	address.RawQuery = ""
	address.RawPath = ""
	if _, subresource, ok := strings.Cut(call.Resource, "/"); ok && subresource != "scale" {
		address.Path = strings.TrimSuffix(address.Path, "/"+subresource)
	}
	accept := req.Header.Get("Accept")
	now := t.get(req, &address, accept)
	switch {
	case now.code == http.StatusOK:
		return t.recorder.reader.object(now.header, now.body)
	case now.code != http.StatusForbidden || strings.HasSuffix(call.Resource, "/scale"):
		return nil
	}
	address.Path = strings.TrimSuffix(address.Path, "/"+call.Name)
	address.RawQuery = url.Values{"fieldSelector": {"metadata.name=" + call.Name}}.Encode()
	now = t.get(req, &address, strings.ReplaceAll(accept, "as=PartialObjectMetadata;", "as=PartialObjectMetadataList;"))
	if now.code != http.StatusOK {
		return nil
	}
	if items, ok := t.recorder.reader.items(now.header, now.body); ok && len(items) == 1 {
		return items[0]
	}
	return nil
}

// got is an answer; its code is zero if there is none.
type got struct {
	code   int
	header http.Header
	body   []byte
}

// get reads something, with the credentials of a request.
func (t *roundTripper) get(like *http.Request, address *url.URL, accept string) got {
	req := like.Clone(like.Context())
	req.Method = http.MethodGet
	req.URL = address
	req.Body = nil
	req.GetBody = nil
	req.ContentLength = 0
	req.Header.Del("Content-Type")
	req.Header.Set("Accept", accept)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return got{}
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // all of it was read
	if err != nil {
		return got{}
	}
	return got{resp.StatusCode, resp.Header, body}
}
