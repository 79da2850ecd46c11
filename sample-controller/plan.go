// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"

	"github.com/lanyard-k8s/lanyard/controller"
)

// errWouldChange is the result of a dry run that has found something to change, which is no failure.
var errWouldChange = errors.New("something would change")

// printPlan runs a manager dry and prints what it would change.
func printPlan(ctx context.Context, m *controller.Manager, output io.Writer) error {
	made, err := m.Plan(ctx)
	if err != nil {
		return err
	}
	if err := made.Write(output); err != nil {
		return err
	}
	switch {
	case made.Failed():
		return errors.New("the plan is not the whole of it: see what has failed")
	case !made.Unchanged():
		return errWouldChange
	}
	return nil
}
