// SPDX-License-Identifier: Apache-2.0

// Package faults says what an error is without its text. The text of an error may have content of objects, such
// as that of a Secret that a program could not parse, or a value that the API server has refused.
package faults

import (
	"errors"
	"fmt"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// Describe says what is known of an error without its text: the reason and the fields that the API server names,
// the cause of the framework, what failed in the network, or else only the Go type. It returns an empty string for
// nil.
func Describe(err error) string {
	if err == nil {
		return ""
	}
	var panicked *reconcile.PanicError
	var status apierrors.APIStatus
	var network *net.OpError
	switch {
	case errors.As(err, &panicked):
		return fmt.Sprintf("panic with a %T (the log has its text)", panicked.Value)
	case errors.As(err, &status):
		return describeStatus(status.Status())
	case cause.Of(err) != nil:
		return cause.Of(err).Error()
	case errors.As(err, &network):
		return describeNetwork(network)
	}
	return fmt.Sprintf("an error of the program, %T (the log has its text)", innermost(err))
}

func describeStatus(status metav1.Status) string {
	words := []string{"the API server answered"}
	if status.Reason != "" {
		words = append(words, string(status.Reason))
	}
	if status.Code != 0 {
		words = append(words, fmt.Sprintf("(%d)", status.Code))
	}
	details := status.Details
	if details == nil {
		return strings.Join(words, " ")
	}
	if details.Kind != "" || details.Name != "" {
		resource := details.Kind
		if details.Group != "" {
			resource += "." + details.Group
		}
		words = append(words, "for", strings.TrimSpace(resource+" "+details.Name))
	}
	var fields []string
	for _, c := range details.Causes {
		if c.Field != "" {
			fields = append(fields, fmt.Sprintf("%s (%s)", c.Field, c.Type))
		}
	}
	if len(fields) > 0 {
		words = append(words, "because of", strings.Join(fields, ", "))
	}
	return strings.Join(words, " ")
}

func describeNetwork(err *net.OpError) string {
	words := []string{"the network failed:", err.Op}
	if err.Addr != nil {
		words = append(words, err.Addr.String())
	}
	if err.Timeout() {
		words = append(words, "(timeout)")
	}
	return strings.Join(words, " ")
}

// innermost returns the error that others wrap.
func innermost(err error) error {
	for {
		switch wrapper := err.(type) { //nolint:errorlint // this unwraps
		case interface{ Unwrap() error }:
			next := wrapper.Unwrap()
			if next == nil {
				return err
			}
			err = next
		case interface{ Unwrap() []error }:
			all := wrapper.Unwrap()
			if len(all) == 0 {
				return err
			}
			err = all[0]
		default:
			return err
		}
	}
}
