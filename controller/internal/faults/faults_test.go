// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/faults"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

const secret = "pl4nted"

func TestAnErrorIsDescribedWithoutItsText(t *testing.T) {
	resource := schema.GroupResource{Group: "apps", Resource: "deployments"}
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web", field.ErrorList{
		field.Invalid(field.NewPath("spec", "image"), secret, "bad"), field.Required(field.NewPath("spec", "name"), secret),
	})
	plain := errors.New(secret)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"none":                  {nil, ""},
		"a panic":               {fmt.Errorf("%s: %w", secret, &reconcile.PanicError{Value: secret}), "panic with a string (the log has its text)"},
		"of the API server":     {fmt.Errorf("%s: %w", secret, apierrors.NewConflict(resource, "web", plain)), "the API server answered Conflict (409) for deployments.apps web"},
		"with fields":           {invalid, "the API server answered Invalid (422) for Pod web because of spec.image (FieldValueInvalid), spec.name (FieldValueRequired)"},
		"without details":       {apierrors.NewUnauthorized(secret), "the API server answered Unauthorized (401)"},
		"with a code alone":     {&apierrors.StatusError{}, "the API server answered"},
		"a cause":               {fmt.Errorf("%s: %w", secret, cause.ShardLost), cause.ShardLost.Error()},
		"of the network":        {fmt.Errorf("%s: %w", secret, &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: plain}), "the network failed: dial 127.0.0.1:1"},
		"of the network, late":  {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "the network failed: read (timeout)"},
		"of the program":        {plain, "an error of the program, *errors.errorString (the log has its text)"},
		"wrapped":               {fmt.Errorf("%s: %w", secret, context.Canceled), "an error of the program, *errors.errorString (the log has its text)"},
		"several, of one kind":  {errors.Join(&odd{}, plain), "an error of the program, *faults_test.odd (the log has its text)"},
		"one that wraps no one": {fmt.Errorf("x: %w", &hollow{}), "an error of the program, *faults_test.hollow (the log has its text)"},
		"one that wraps none":   {&none{}, "an error of the program, *faults_test.none (the log has its text)"},
	} {
		got := faults.Describe(c.err)
		if got != c.want || strings.Contains(got, secret) {
			t.Errorf("%s is %q, want %q", name, got, c.want)
		}
	}
}

type odd struct{}

func (*odd) Error() string { return secret }

type hollow struct{}

func (*hollow) Error() string { return secret }
func (*hollow) Unwrap() error { return nil }

type none struct{}

func (*none) Error() string   { return secret }
func (*none) Unwrap() []error { return nil }
