// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/container"
	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// LeaderElection lets only one of several replicas work. Controllers, and the functions of
// [Manager.AddLeaderRunnable], run only while this process holds a Lease.
//
// A term of leadership lasts while the process renews the Lease. When the term ends, the contexts
// of its controllers and functions end, so their API calls end and they send no further write. When
// all of them have returned, the process tries to acquire the Lease again.
//
// The times must satisfy RetryPeriod × 1.2 < RenewDeadline ≤ LeaseDuration − Margin. With a longer
// LeaseDuration a leader survives a longer outage of the API server, but after a crash the other
// replicas wait longer. With a shorter RetryPeriod each replica sends more requests: at most two
// per period. A process that shuts down releases the Lease, so that another takes over at once,
// whatever these times are.
type LeaderElection struct {
	// Namespace is the Lease's namespace. Default: the pod's.
	Namespace string

	// Name is the Lease's name. It is required.
	Name string

	// Identity names this process as the holder. For the fence in the API server (config/fence) it
	// must be the pod's name. Two processes with the same identity are told apart and do not lead
	// together. Default: the host's name, which in a pod is the pod's name unless the pod sets a
	// hostname.
	Identity string

	// LeaseDuration is how long other replicas wait, after they have seen the last renewal, before
	// they may take the Lease. It must be whole seconds, because a Lease has no finer unit.
	// Default: 15 seconds.
	LeaseDuration time.Duration

	// RenewDeadline is the time for which a leader tries to renew before it gives up. Default: 10
	// seconds.
	RenewDeadline time.Duration

	// RetryPeriod is the time between tries to renew the Lease, or to take one that is held.
	// Default: 2 seconds.
	RetryPeriod time.Duration

	// Margin is subtracted from LeaseDuration: a term ends that much earlier, counted from the
	// moment in which the last renewal was sent. It allows for clocks that run at different speeds.
	// Use at least one second if other replicas use client-go's elector, which takes two renewals
	// within one second for one. Default: a tenth of LeaseDuration.
	Margin time.Duration

	// ExitOnLoss makes Run return an error when leadership is lost. Otherwise the process campaigns
	// again.
	ExitOnLoss bool

	// Pod says in which container this process runs, so that its crash is noticed at once instead of when
	// the Lease has expired: by the same container when it was started again, and by replicas that may
	// get, list and watch the pod. Each container of the pod must run this program once at a time; see
	// docs/leadership.md for what counts as a proof. Default: nil, and then a crash is not noticed.
	// Package program takes it from the environment.
	Pod *LeaderPod

	// Fenced says that the fence in the API server (config/fence) is installed for this process's
	// account. A holder whose pod was deleted is then taken for ended. Otherwise it may still run, on a
	// machine that the API server cannot reach, and others wait for the Lease to expire.
	Fenced bool
}

// LeaderPod is the container in which a process runs.
type LeaderPod struct {
	// Namespace is the pod's namespace. Default: that of the Lease.
	Namespace string

	// Name, UID and Container are the pod's name and UID, and the container's name. They are required,
	// and must be this process's own: take the first two from the downward API.
	Name      string
	UID       string
	Container string

	// Instance tells one run of the container from the next. Processes in one run of it must have the
	// same. Default: on Linux, a text made of the machine's boot and of the start of the first process in
	// the container's process namespace. Where there is none, the container does not notice that it
	// was started again.
	Instance string
}

// Term is one term of leadership: from the moment this process acquired a Lease to the moment it
// lost it or gave it up.
type Term = cause.Term

// serviceAccountNamespace is where a pod finds its namespace.
const serviceAccountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// complete sets the defaults and returns what is wrong. field is what the user has set.
func (o *LeaderElection) complete(field string) error {
	o.LeaseDuration = cmp.Or(o.LeaseDuration, 15*time.Second)
	o.RenewDeadline = cmp.Or(o.RenewDeadline, 10*time.Second)
	o.RetryPeriod = cmp.Or(o.RetryPeriod, 2*time.Second)
	o.Margin = cmp.Or(o.Margin, o.LeaseDuration/10)
	var errs []error
	if o.Namespace == "" {
		namespace, _ := os.ReadFile(serviceAccountNamespace)
		if o.Namespace = strings.TrimSpace(string(namespace)); o.Namespace == "" {
			errs = append(
				errs,
				errors.New(
					"name the Namespace of the Lease in "+field+".Namespace: it is found only in a pod with a service account, which this process is not in",
				),
			)
		}
	}
	if o.Identity == "" {
		var err error
		if o.Identity, err = os.Hostname(); err != nil || o.Identity == "" {
			errs = append(
				errs,
				errors.New(
					"set "+field+".Identity to a name that no other process has: the host has none that could be used",
				),
			)
		}
	}
	if problems := validation.IsDNS1123Subdomain(o.Name); len(problems) > 0 {
		errs = append(
			errs,
			fmt.Errorf(
				"set %s.Name: %q cannot be the Name of a Lease: %s",
				field,
				o.Name,
				strings.Join(problems, ", "),
			),
		)
	}
	if o.Pod != nil {
		errs = append(errs, o.Pod.validate())
	}
	return errors.Join(append(errs, o.validateTimes())...)
}

// validateTimes returns the first time that is wrong, and which value would be right. It names one
// at a time, because the limits of the later ones depend on the earlier ones.
func (o *LeaderElection) validateTimes() error {
	longest := o.LeaseDuration - o.Margin // that RenewDeadline may be
	shortest := o.RetryPeriod * 6 / 5     // which it has to be longer than
	switch retry := min(o.RenewDeadline, longest) * 4 / 5; {
	case o.LeaseDuration < time.Second || o.LeaseDuration%time.Second != 0:
		return fmt.Errorf(
			"the LeaseDuration is %v: a Lease can promise whole seconds only, one at least: set it to %v, for example",
			o.LeaseDuration,
			max(time.Second, (o.LeaseDuration+time.Second-1).Truncate(time.Second)),
		)
	case o.Margin < 0 || longest <= 0:
		return fmt.Errorf(
			"the Margin is %v: between 0 and the LeaseDuration of %v something has to be left to lead: "+
				"set it to less than that, or leave it out, for a tenth of it",
			o.Margin,
			o.LeaseDuration,
		)
	case o.RetryPeriod < 0 || o.RenewDeadline < 0:
		return fmt.Errorf(
			"the RenewDeadline is %v and the RetryPeriod %v: what is less than 0 never comes: set it to more, or leave it out, for the default",
			o.RenewDeadline,
			o.RetryPeriod,
		)
	case o.RenewDeadline > longest:
		and := ""
		if shortest >= longest {
			and = fmt.Sprintf(" and RetryPeriod to at most %v", retry)
		}
		return fmt.Errorf(
			"the RenewDeadline is %v, but a term is over after %v (LeaseDuration %v − Margin %v), and what is renewed later is not ours any more: "+
				"set RenewDeadline to at most %v%s, or a longer LeaseDuration",
			o.RenewDeadline,
			longest,
			o.LeaseDuration,
			o.Margin,
			longest,
			and,
		)
	case o.RenewDeadline <= shortest:
		or := ""
		if shortest < longest {
			or = fmt.Sprintf(", or RenewDeadline to more than %v", shortest)
		}
		return fmt.Errorf(
			"the RenewDeadline is %v, which leaves no second try with a RetryPeriod of %v: set RetryPeriod to at most %v%s",
			o.RenewDeadline,
			o.RetryPeriod,
			retry,
			or,
		)
	}
	return nil
}

func (p *LeaderPod) validate() error {
	if p.Name != "" && p.UID != "" && p.Container != "" {
		return nil
	}
	return fmt.Errorf("ManagerOptions.LeaderElection.Pod has the Name %q, the UID %q and the Container %q: "+
		"set all three, or leave Pod out: a crash is then noticed when the Lease has expired",
		p.Name, p.UID, p.Container)
}

// home returns where this process runs, nil if it is not known.
func (o *LeaderElection) home() *election.Home {
	if o.Pod == nil {
		return nil
	}
	return &election.Home{
		Container: witness.Container{
			Namespace: cmp.Or(o.Pod.Namespace, o.Namespace), Pod: o.Pod.Name,
			UID: types.UID(o.Pod.UID), Name: o.Pod.Container,
		},
		Instance: cmp.Or(o.Pod.Instance, container.Instance()),
	}
}

func (o *LeaderElection) lease() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.Name}
}
