// SPDX-License-Identifier: Apache-2.0

package election

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/tools/leaderelection"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/term"
)

// Campaign tries to acquire the lease until it succeeds, and returns the term. From then on the
// lease is renewed in the background until the term ends, also after the end of ctx, so that it is
// held while work drains. The contexts of the term are children of ctx.
//
// If ctx ends first, Campaign returns the cause of that end; after it nothing is sent to acquire
// the lease. It returns an error if the API server forbids the first request, or if the Config is
// not valid.
func (c *Candidate) Campaign(ctx context.Context) (*Renewal, error) {
	c.follower.begin()
	defer c.follower.end()
	for {
		renewal, err := c.runElector(ctx)
		if renewal != nil || !errors.Is(err, retryNowError{}) {
			return renewal, err
		}
	}
}

// runElector makes one attempt to acquire the lease, with an elector of its own. An elector cannot
// be told to try now, and so it is replaced by another instead. A new one does not know since when
// the lease has not been renewed; it is therefore replaced only when nobody holds the lease, or
// when its holder has ended.
func (c *Candidate) runElector(ctx context.Context) (*Renewal, error) {
	a := newAttempt(c.owner, c.config.LeaseDuration, func() error { return context.Cause(ctx) })
	if err := a.campaign(); err != nil {
		return nil, err
	}
	run, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	l := &lock{
		config: c.config, owner: c.owner, requests: c.requests, state: c.state, attempt: a,
		follower: c.follower,
		begin: func(acquired cause.Term, sent time.Duration) *term.Term {
			return term.New(ctx, c.termConfig(acquired, stop), sent)
		},
		forbidden: make(chan error, 1),
	}
	elector, err := leaderelection.NewLeaderElector(c.electorConfig(l))
	if err != nil {
		stop(err)
		return nil, fmt.Errorf("campaign for the lease %s: %w", c.config.Lease, err)
	}
	c.setAttempt(a)
	c.state.clearRetry()
	done := make(chan struct{})
	go func() {
		defer close(done)
		elector.Run(demoteRaces(run))
		// The term has ended, or the elector has given up renewing.
		a.end(cause.TermExpired, fmt.Sprintf("no renewal succeeded for %v", c.config.RenewDeadline))
	}()

	err = c.awaitElection(ctx, l)
	if err == nil {
		return &Renewal{Term: a.currentTerm(), candidate: c, done: done}, nil
	}
	stop(err)
	<-done // which has ended the term, if the elector has acquired the lease in this moment
	return nil, err
}

// awaitElection waits until the attempt has acquired the lease, or returns why it has to stop.
func (c *Candidate) awaitElection(ctx context.Context, l *lock) (err error) {
	select {
	case <-l.attempt.elected:
		return nil
	case <-c.state.retry:
		err = retryNowError{}
	case err = <-l.forbidden:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	select {
	case <-l.attempt.elected:
		return nil
	default:
		return err
	}
}

// termConfig describes a term that was acquired. stop stops its elector.
func (c *Candidate) termConfig(acquired cause.Term, stop func(error)) term.Config {
	return term.Config{
		Term:     acquired,
		Validity: c.config.LeaseDuration - c.config.Margin,
		Clock:    c.config.Clock,
		Ended:    stop,
	}
}

func (c *Candidate) electorConfig(l *lock) leaderelection.LeaderElectionConfig {
	return leaderelection.LeaderElectionConfig{
		Lock: l, Name: c.config.Lease.String(),
		LeaseDuration: c.config.LeaseDuration,
		RenewDeadline: c.config.RenewDeadline,
		RetryPeriod:   c.config.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {}, // the lock knows before
			OnStoppedLeading: func() {},
		},
		ReleaseOnCancel: false, // client-go releases before the work has returned
	}
}
