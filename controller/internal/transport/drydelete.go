// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
)

// A DELETE may have its options in the body. The API server looks at the query only if there is no body.

// maxOptions is the size of the options of a DELETE. They are a few fields.
const maxOptions = 1 << 20

// dryRunField is the number of the field dryRun in the message DeleteOptions (generated.proto of meta/v1).
const dryRunField protowire.Number = 5

// dryDelete makes the options in the body of a request, if there are any, those of a dry run.
func dryDelete(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxOptions+1))
	_ = req.Body.Close() // all of it was read
	switch {
	case err != nil:
		return fmt.Errorf("read the options of the request: %w", err)
	case len(body) > maxOptions:
		return errors.New("the options of the request are too long")
	case len(body) > 0:
		if body, err = dryOptions(req.Header.Get("Content-Type"), body); err != nil {
			return fmt.Errorf("read the options of the request: %w", err)
		}
	}
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, err = req.GetBody()
	return err
}

// dryOptions returns encoded DeleteOptions with a dryRun.
func dryOptions(contentType string, body []byte) ([]byte, error) {
	if contentType == "" {
		contentType = runtime.ContentTypeJSON // as the API server takes it
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	switch mediaType {
	case runtime.ContentTypeJSON:
		return dryJSON(body)
	case runtime.ContentTypeCBOR:
		return dryCBOR(body)
	case runtime.ContentTypeProtobuf:
		return dryProtobuf(body)
	}
	return nil, fmt.Errorf("they are in the encoding %q", mediaType)
}

func dryJSON(body []byte) ([]byte, error) {
	var options map[string]json.RawMessage
	if err := json.Unmarshal(body, &options); err != nil {
		return nil, err
	}
	if options == nil {
		return nil, errors.New("they are null")
	}
	options["dryRun"] = json.RawMessage(`["` + metav1.DryRunAll + `"]`)
	return json.Marshal(options)
}

func dryCBOR(body []byte) ([]byte, error) {
	var options map[string]any
	if err := direct.Unmarshal(body, &options); err != nil {
		return nil, err
	}
	if options == nil {
		return nil, errors.New("they are null")
	}
	options["dryRun"] = []any{metav1.DryRunAll}
	return direct.Marshal(options)
}

func dryProtobuf(body []byte) ([]byte, error) {
	magic := []byte("k8s\x00")
	message, found := bytes.CutPrefix(body, magic)
	if !found {
		return nil, errors.New("they are no protobuf of Kubernetes")
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(message); err != nil {
		return nil, err
	}
	var options metav1.DeleteOptions
	if err := options.Unmarshal(envelope.Raw); err != nil {
		return nil, err
	}
	// The field is added to the message, which keeps what a newer client has written into it.
	if len(options.DryRun) == 0 {
		envelope.Raw = protowire.AppendTag(envelope.Raw, dryRunField, protowire.BytesType)
		envelope.Raw = protowire.AppendString(envelope.Raw, metav1.DryRunAll)
	} else if len(options.DryRun) != 1 || options.DryRun[0] != metav1.DryRunAll {
		return nil, fmt.Errorf("they ask for another dry run: %q", options.DryRun)
	}
	dry, err := envelope.Marshal()
	return append(magic, dry...), err
}
