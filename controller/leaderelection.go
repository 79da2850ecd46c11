package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/term"
	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// LeaderElection has one of several replicas do the work (C12 to C18): controllers work, and runnables from
// [Manager.AddLeaderRunnable] run, only while this process holds a Lease. Leadership is a context with a
// time limit that each renewal extends; when it ends, all calls that need it end, no write leaves any
// more, and when everything has returned the process campaigns again.
//
// The times are related: RetryPeriod × 1.2 < RenewDeadline ≤ LeaseDuration − Margin. A longer
// LeaseDuration lets a leader live through longer outages of the API server, and is how long others wait
// after one has crashed. A shorter RetryPeriod costs requests, two per period and replica at most. A
// hand-over at the end of a process depends on none of them.
type LeaderElection struct {
	// Namespace and Name are the Lease's. Namespace: that of the pod by default.
	Namespace, Name string

	// Identity is who the holder is. For the fence in the API server (config/fence) it has to be the pod's
	// name. Two processes of one identity are told apart and do not lead together. Default: the host's
	// name, which is the pod's name in a pod without a hostname of its own.
	Identity string

	// LeaseDuration is how long others wait, after the last renewal that they have seen, before they take
	// the lease: whole seconds, because that is what a Lease can say. Default: 15 seconds.
	LeaseDuration time.Duration

	// RenewDeadline is how long a leader tries to renew before it gives up. Default: 10 seconds.
	RenewDeadline time.Duration

	// RetryPeriod is the time between tries, to renew or to take a lease that is held. Default: 2 seconds.
	RetryPeriod time.Duration

	// Margin is how much earlier than LeaseDuration, counted from when the last renewal was sent, a term is
	// over. It covers clocks that do not run at the same speed. Where the others run plain client-go, it has
	// to be a second at least, because that takes two renewals in a second for one. Default: a tenth of
	// LeaseDuration.
	Margin time.Duration

	// ExitOnLoss has Run return an error when leadership is lost, instead of campaigning again.
	ExitOnLoss bool

	inTest *electionInTest
}

// electionInTest is what tests in virtual time put in the place of the API server and of the clock.
type electionInTest struct {
	client coordinationv1client.LeasesGetter
	clock  term.Clock
}

// serviceAccountNamespace is where a pod finds its namespace.
const serviceAccountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// complete fills in the defaults and says what is impossible.
func (o *LeaderElection) complete() error {
	o.LeaseDuration = cmp.Or(o.LeaseDuration, 15*time.Second)
	o.RenewDeadline = cmp.Or(o.RenewDeadline, 10*time.Second)
	o.RetryPeriod = cmp.Or(o.RetryPeriod, 2*time.Second)
	o.Margin = cmp.Or(o.Margin, o.LeaseDuration/10)
	var errs []error
	if o.Namespace == "" {
		namespace, err := os.ReadFile(serviceAccountNamespace)
		if err != nil {
			errs = append(errs, errors.New("name the Namespace of the Lease: this process runs in no pod whose namespace could be used"))
		}
		o.Namespace = strings.TrimSpace(string(namespace))
	}
	if o.Identity == "" {
		var err error
		if o.Identity, err = os.Hostname(); err != nil || o.Identity == "" {
			errs = append(errs, errors.New("name the Identity of this process: the host has no name that could be used"))
		}
	}
	if problems := validation.IsDNS1123Subdomain(o.Name); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("%q cannot be the Name of a Lease: %s", o.Name, strings.Join(problems, ", ")))
	}
	errs = append(errs, o.validateTimes()...)
	if len(errs) > 0 {
		return fmt.Errorf("leader election: %w", errors.Join(errs...))
	}
	return nil
}

func (o *LeaderElection) validateTimes() (errs []error) {
	if o.LeaseDuration < time.Second || o.LeaseDuration%time.Second != 0 {
		errs = append(errs, fmt.Errorf("the LeaseDuration is %v: a Lease can promise whole seconds only, one at least", o.LeaseDuration))
	}
	if o.Margin < 0 || o.Margin >= o.LeaseDuration {
		errs = append(errs, fmt.Errorf("the Margin is %v: between 0 and the LeaseDuration of %v something has to be left to lead", o.Margin, o.LeaseDuration))
	} else if o.RenewDeadline > o.LeaseDuration-o.Margin {
		errs = append(errs, fmt.Errorf("the RenewDeadline is %v, but a term is over after %v (LeaseDuration %v − Margin %v): what is renewed later than that is not ours any more",
			o.RenewDeadline, o.LeaseDuration-o.Margin, o.LeaseDuration, o.Margin))
	}
	if o.RetryPeriod < 0 || o.RenewDeadline <= o.RetryPeriod*6/5 {
		errs = append(errs, fmt.Errorf("the RenewDeadline is %v, which leaves no second try with a RetryPeriod of %v: make it more than 1.2 times that", o.RenewDeadline, o.RetryPeriod))
	}
	return errs
}

func (o *LeaderElection) lease() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}

// Term is one term of leadership: from when this process acquired the lease until it lost it or gave it up.
type Term struct {
	Lease  types.NamespacedName
	Holder string // the identity under which this process leads
	Number int    // the lease's leaseTransitions: no two terms of a Lease have the same
	Began  time.Time
}

// String names the term: the holder, and which of the lease's terms this is.
func (t Term) String() string { return fmt.Sprintf("%s#%d", t.Holder, t.Number) }

// TermFrom returns the term that the work on ctx needs. It is false for work that needs none.
func TermFrom(ctx context.Context) (Term, bool) {
	unit := work.From(ctx)
	if unit == nil || unit.Term == nil {
		return Term{}, false
	}
	return publicTerm(unit.Term), true
}
