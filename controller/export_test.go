package controller

import (
	"context"
	"time"

	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// InTest puts a client and a clock in the place of the API server and of CLOCK_BOOTTIME, which stands
// outside virtual time. A nil client leaves the real one.
func (o *LeaderElection) InTest(client coordinationv1client.LeasesGetter, clock term.Clock) {
	o.inTest = &electionInTest{client: client, clock: clock}
}

// Waited has a manager believe that a call has waited.
func (m *Manager) Waited(ctx context.Context, reason string, began time.Time) {
	m.transport.Observer.Waited(ctx, reason, began)
}

// Complete fills in the defaults and says what is impossible.
func (o *LeaderElection) Complete() error { return o.complete() }
