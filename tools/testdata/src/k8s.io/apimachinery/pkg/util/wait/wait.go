// Package wait has the signatures of the real one that the goldens need.
package wait

import (
	"context"
	"time"
)

type ConditionFunc func() (bool, error)

type ConditionWithContextFunc func(context.Context) (bool, error)

func Forever(f func(), period time.Duration)                                 {}
func Until(f func(), period time.Duration, stopCh <-chan struct{})           {}
func UntilWithContext(context.Context, func(context.Context), time.Duration) {}
func Poll(interval, timeout time.Duration, condition ConditionFunc) error {
	return nil
}
func PollUntilContextTimeout(ctx context.Context, interval, timeout time.Duration, immediate bool, condition ConditionWithContextFunc) error {
	return nil
}

type DelayFunc func() time.Duration

func (fn DelayFunc) Until(ctx context.Context, immediate, sliding bool, condition ConditionWithContextFunc) error {
	return nil
}

type Backoff struct{}

func ExponentialBackoff(backoff Backoff, condition ConditionFunc) error { return nil }
func ExponentialBackoffWithContext(ctx context.Context, backoff Backoff, condition ConditionWithContextFunc) error {
	return nil
}

var NeverStop <-chan struct{} = make(chan struct{})

type Group struct{}

func (g *Group) Start(f func())                                                {}
func (g *Group) StartWithContext(ctx context.Context, f func(context.Context)) {}
