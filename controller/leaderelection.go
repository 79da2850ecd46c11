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
		namespace, _ := os.ReadFile(serviceAccountNamespace)
		if o.Namespace = strings.TrimSpace(string(namespace)); o.Namespace == "" {
			errs = append(errs, errors.New("name the Namespace of the Lease in Options.LeaderElection.Namespace: it is found only in a pod with a service account, which this process is not in"))
		}
	}
	if o.Identity == "" {
		var err error
		if o.Identity, err = os.Hostname(); err != nil || o.Identity == "" {
			errs = append(errs, errors.New("set Options.LeaderElection.Identity to a name that no other process has: the host has none that could be used"))
		}
	}
	if problems := validation.IsDNS1123Subdomain(o.Name); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("set Options.LeaderElection.Name: %q cannot be the Name of a Lease: %s", o.Name, strings.Join(problems, ", ")))
	}
	if errs = append(errs, o.validateTimes()); errors.Join(errs...) != nil {
		return fmt.Errorf("leader election: %w", errors.Join(errs...))
	}
	return nil
}

// validateTimes says which time is impossible, and which would do. It says one thing at a time, because what
// the later ones may be depends on the earlier ones.
func (o *LeaderElection) validateTimes() error {
	longest := o.LeaseDuration - o.Margin // that RenewDeadline may be
	shortest := o.RetryPeriod * 6 / 5     // which it has to be longer than
	switch retry := min(o.RenewDeadline, longest) * 4 / 5; {
	case o.LeaseDuration < time.Second || o.LeaseDuration%time.Second != 0:
		return fmt.Errorf("the LeaseDuration is %v: a Lease can promise whole seconds only, one at least: set it to %v, for example",
			o.LeaseDuration, max(time.Second, (o.LeaseDuration+time.Second-1).Truncate(time.Second)))
	case o.Margin < 0 || longest <= 0:
		return fmt.Errorf("the Margin is %v: between 0 and the LeaseDuration of %v something has to be left to lead: "+
			"set it to less than that, or leave it out, for a tenth of it", o.Margin, o.LeaseDuration)
	case o.RetryPeriod < 0 || o.RenewDeadline < 0:
		return fmt.Errorf("the RenewDeadline is %v and the RetryPeriod %v: what is less than 0 never comes: set it to more, or leave it out, for the default",
			o.RenewDeadline, o.RetryPeriod)
	case o.RenewDeadline > longest:
		and := ""
		if shortest >= longest {
			and = fmt.Sprintf(" and RetryPeriod to at most %v", retry)
		}
		return fmt.Errorf("the RenewDeadline is %v, but a term is over after %v (LeaseDuration %v − Margin %v), and what is renewed later is not ours any more: "+
			"set RenewDeadline to at most %v%s, or a longer LeaseDuration", o.RenewDeadline, longest, o.LeaseDuration, o.Margin, longest, and)
	case o.RenewDeadline <= shortest:
		or := ""
		if shortest < longest {
			or = fmt.Sprintf(", or RenewDeadline to more than %v", shortest)
		}
		return fmt.Errorf("the RenewDeadline is %v, which leaves no second try with a RetryPeriod of %v: set RetryPeriod to at most %v%s",
			o.RenewDeadline, o.RetryPeriod, retry, or)
	}
	return nil
}

func (o *LeaderElection) lease() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}

// Term is one term of leadership: from when this process acquired the lease until it lost it or gave it up.
type Term struct {
	Lease  types.NamespacedName
	Holder string // the identity under which this process leads
	// Number is the Lease's leaseTransitions. It grows from term to term, and begins at 0 again where the
	// Lease has been deleted.
	Number int
	// ResourceVersion is the Lease's, as this process took it. No two terms have the same.
	ResourceVersion string
	Began           time.Time
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
