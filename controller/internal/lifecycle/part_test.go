// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/lanyard-k8s/lanyard/controller/internal/lifecycle"
)

var errStopped = errors.New("enough")

func TestC29APartEndsAloneWithItsCauseAndIsStoppedWhenItHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := lifecycle.NewPart()
		calls := 0
		p.AfterStop(func() { calls++ })
		leave := make(chan struct{})
		var why, err error
		go func() {
			err = p.Run(t.Context(), func(ctx context.Context) error {
				<-ctx.Done()
				why = context.Cause(ctx)
				<-leave
				return ctx.Err()
			})
		}()
		synctest.Wait()
		p.Stop(errStopped)
		p.Stop(errors.New("again"))
		synctest.Wait()
		if !errors.Is(why, errStopped) || !p.Stopping() || isClosed(p.Stopped()) || calls != 0 {
			t.Errorf("it ended with %v; stopped %v, calls %d", why, isClosed(p.Stopped()), calls)
		}
		close(leave)
		synctest.Wait()
		if err != nil || !isClosed(p.Stopped()) || calls != 1 || !isClosed(p.Hurried()) {
			t.Errorf("it returned %v; stopped %v, calls %d", err, isClosed(p.Stopped()), calls)
		}
		p.AfterStop(func() { calls++ })
		if calls != 2 {
			t.Error("a late AfterStop was not called")
		}
	})
}

func TestAPartThatWasStoppedDoesNotRun(t *testing.T) {
	p := lifecycle.NewPart()
	p.Stop(errStopped)
	err := p.Run(t.Context(), func(context.Context) error {
		t.Error("it runs")
		return nil
	})
	if err != nil || !isClosed(p.Stopped()) {
		t.Errorf("%v, stopped %v", err, isClosed(p.Stopped()))
	}
}

func TestAPartThatFailsIsNotStopped(t *testing.T) {
	p := lifecycle.NewPart()
	broken := errors.New("no disk")
	if err := p.Run(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) || p.Stopping() {
		t.Errorf("%v, stopping %v", err, p.Stopping())
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
