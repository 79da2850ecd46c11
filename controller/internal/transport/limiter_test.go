// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// throttles counts the waits of which it is told.
type throttles struct {
	observe.Nop
	n int
}

func (o *throttles) CallThrottled(context.Context, observe.Throttle) { o.n++ }

func TestNobodyIsToldOfAWaitWhereNobodyWaits(t *testing.T) {
	for qps, want := range map[float32]int{-1: 0, 1000: 1} {
		told := &throttles{}
		limiter := limiterOf(&rest.Config{QPS: qps}, observe.Observers{told}, nil)
		if err := limiter.Wait(t.Context()); err != nil || told.n != want {
			t.Errorf("at %v: %v, told of %d waits, want %d", qps, err, told.n, want)
		}
	}
}
