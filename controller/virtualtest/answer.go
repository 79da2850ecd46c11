// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// form is how a client wants objects: as they are, or their metadata only.
type form struct{ metadataOnly bool }

func formOf(accept string) form {
	for choice := range strings.SplitSeq(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(choice)
		if err != nil || kind != "application/json" {
			continue
		}
		as := parameters["as"]
		return form{metadataOnly: as == "PartialObjectMetadata" || as == "PartialObjectMetadataList"}
	}
	return form{}
}

// of returns an object in this form, in the version that was asked for.
func (f form) of(o *object, r *Resource) map[string]any {
	if f.metadataOnly {
		return map[string]any{
			"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": o.Object["metadata"],
		}
	}
	if o.GetAPIVersion() == r.apiVersion() {
		return o.Object
	}
	other := &object{Object: make(map[string]any, len(o.Object))}
	for name, value := range o.Object {
		other.Object[name] = value
	}
	other.SetAPIVersion(r.apiVersion())
	return other.Object
}

// list returns a list of objects in this form.
func (f form) list(all []*object, r *Resource, version int64) map[string]any {
	items := make([]any, 0, len(all))
	for _, o := range all {
		items = append(items, f.of(o, r))
	}
	kind := r.Kind + "List"
	apiVersion := r.apiVersion()
	if f.metadataOnly {
		kind = "PartialObjectMetadataList"
		apiVersion = "meta.k8s.io/v1"
	}
	return map[string]any{
		"apiVersion": apiVersion, "kind": kind, "items": items,
		"metadata": map[string]any{"resourceVersion": strconv.FormatInt(version, 10)},
	}
}

// statusOf returns the answer that says what is wrong.
func statusOf(err error) *metav1.Status {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return &status
}

// versionOf returns the resourceVersion that is asked for, 0 for any.
func versionOf(query url.Values) (int64, error) {
	text := query.Get("resourceVersion")
	if text == "" {
		return 0, nil
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version < 0 {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("invalid resource version %q", text))
	}
	return version, nil
}

// tooNew is the answer to who asks for a version that there is not yet.
func tooNew(version, newest int64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", version, newest), 1)
	err.ErrStatus.Code = http.StatusGatewayTimeout
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
	}}
	return err
}
