// SPDX-License-Identifier: Apache-2.0

package answer_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/lanyard-k8s/lanyard/controller/internal/answer"
)

// encodings encode as API servers do.
func encodings(t *testing.T, object runtime.Object) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
		if !ok {
			t.Fatalf("no %s", mediaType)
		}
		var buf bytes.Buffer
		if err := scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion).Encode(object, &buf); err != nil {
			t.Fatal(err)
		}
		all[mediaType] = buf.Bytes()
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	if all[runtime.ContentTypeCBOR], err = direct.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheVersionOfAnObjectIsReadInEachEncoding(t *testing.T) {
	object := &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "a", Namespace: "b", UID: "u", ResourceVersion: "17", Generation: 3,
			Labels:            map[string]string{"x": "1", "y": ""},
			Annotations:       map[string]string{"name": "not this", "uid": "\"resourceVersion\":\"3\""},
			CreationTimestamp: metav1.Now(),
			ManagedFields:     []metav1.ManagedFieldsEntry{{Manager: "m", Operation: "Apply", APIVersion: "v1"}},
			OwnerReferences:   []metav1.OwnerReference{{Name: "owner", UID: "other", Kind: "Pod", APIVersion: "v1"}},
		},
		Data: map[string]string{"metadata": "{}"},
	}
	want := answer.Object{
		Namespace: "b", Name: "a", UID: "u", ResourceVersion: "17",
	}
	for mediaType, body := range encodings(t, object) {
		got, ok := answer.Parse(mediaType+"; charset=utf-8", body)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(answer.Object{})); !ok || diff != "" {
			t.Errorf("%s: ok %t, %s", mediaType, ok, diff)
		}
		if diff := cmp.Diff(object.Labels, answer.Labels(mediaType, body)); diff != "" {
			t.Errorf("%s: %s", mediaType, diff)
		}
	}
}

func TestAStatusTellsWhichObjectIsGone(t *testing.T) {
	status := &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: "a", Kind: "configmaps", UID: "u"},
	}
	for mediaType, body := range encodings(t, status) {
		got, ok := answer.Parse(mediaType, body)
		if want := (answer.Object{Status: true, Name: "a", UID: "u"}); !ok || cmp.Diff(want, got, cmpopts.IgnoreUnexported(want)) != "" {
			t.Errorf("%s: ok %t, %+v", mediaType, ok, got)
		}
	}
}

func TestAnAnswerThatIsNoObjectIsRefused(t *testing.T) {
	for mediaType, body := range map[string]string{
		runtime.ContentTypeJSON: "not found", runtime.ContentTypeProtobuf: "{}", runtime.ContentTypeCBOR: "{}", "text/plain": "{}",
	} {
		if got, ok := answer.Parse(mediaType, []byte(body)); ok {
			t.Errorf("%s %q: %+v", mediaType, body, got)
		}
	}
}

// FuzzParse: bytes from outside never panic, in any encoding.
func FuzzParse(f *testing.F) {
	f.Add(`{"kind":"ConfigMap","metadata":{"name":"a"}}`)
	f.Add("k8s\x00\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x05\x0a\x03\x0a\x01a")
	f.Fuzz(func(_ *testing.T, body string) {
		for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR} {
			answer.Parse(mediaType, []byte(body))
		}
	})
}
