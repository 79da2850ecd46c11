// SPDX-License-Identifier: Apache-2.0

package leadership_test

import (
	"testing"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

const leases = "leases.coordination.k8s.io"

// A leader behind a proxy, a stand-by beside it, and what happens to the network between.
func TestC12ALeaderThatIsCutOffStopsInTimeAndStandsByOnceTheNetworkIsHealed(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(*shutdowntest.Proxy) (heal func()){
		"from the lease": func(p *shutdowntest.Proxy) func() {
			return p.Add(shutdowntest.Match{Resource: leases}, shutdowntest.Stall()).Release
		},
		"from everything": func(p *shutdowntest.Proxy) func() {
			all, dials := p.Add(shutdowntest.Match{}, shutdowntest.Stall()), p.StallDials()
			p.Disconnect()
			return func() { all.Release(); dials.Release() }
		},
		"from all answers": func(p *shutdowntest.Proxy) func() {
			all, dials := p.Add(shutdowntest.Match{}, shutdowntest.BlackHole()), p.StallDials()
			return func() { all.Release(); dials.Release() }
		},
		"from the answers about the lease": func(p *shutdowntest.Proxy) func() {
			return p.Add(shutdowntest.Match{Resource: leases}, shutdowntest.BlackHole()).Release
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 4, short)
			proxy := shutdowntest.NewProxy(t, plane.Config())
			a := e.lead(proxy.Config())
			b := e.run(plane.Config(), e.options("b"))
			b.await("b is ready", b.isReady)
			heal := broken(proxy)
			a.awaitLoss(cause.TermExpired)
			b.await("b leads", b.writing)
			heal()
			// It stands by again: when b ends, a leads.
			b.end()
			a.await("a leads again", a.writing)
			a.end()
			e.assertOneWriter()
		})
	}
}

func TestC12AnAnswerThatComesLateDoesNotEndATermAndDoesNotProlongIt(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4, short)
	e.election.LeaseDuration, e.election.RenewDeadline = 10*time.Second, 8*time.Second
	proxy := shutdowntest.NewProxy(t, plane.Config())
	a := e.lead(proxy.Config())
	term, _ := a.CurrentTerm()
	for _, fault := range []shutdowntest.Fault{shutdowntest.Delay(time.Second), shutdowntest.BlackHole(), shutdowntest.CutAnswer(), shutdowntest.Stall()} {
		rule := proxy.Add(shutdowntest.Match{Verb: "update", Resource: leases, First: 1}, fault)
		rule.Await(1)
		// The next renewal that is answered shows that it goes on.
		next := proxy.Add(shutdowntest.Match{Verb: "update", Resource: leases}, shutdowntest.Pass())
		next.Await(1)
		rule.Release()
		next.Remove()
	}
	if now, leads := a.CurrentTerm(); !leads || now.Number != term.Number {
		t.Errorf("leads %v, in term %v after %v: %v", leads, now, term, a.lost())
	}
	a.end()
	e.assertOneWriter()
}
