// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lanyard-k8s/lanyard/controller"
)

// printPlan runs a manager dry and prints what it would change.
func printPlan(ctx context.Context, m *controller.Manager, output io.Writer) error {
	made, err := m.Plan(ctx)
	if err != nil {
		return err
	}
	if err := made.Write(output); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	switch {
	case made.Failed():
		return errors.New("the plan is not the whole of it: see what has failed")
	case !made.Unchanged():
		return wouldChange{}
	}
	return nil
}
