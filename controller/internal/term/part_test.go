// SPDX-License-Identifier: Apache-2.0

package term

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/cause"
)

func TestC31APartEndsWithItsWholeAndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		clock := func() time.Duration { return time.Since(began) }
		whole := New(t.Context(), Config{Validity: time.Minute, Clock: clock, Cause: cause.ShardLost}, 0)
		part := func() *Term { return NewPart(t.Context(), Config{Within: whole, Cause: cause.ShardLost}) }
		alone, other := part(), part()
		if alone.Whole() != whole || whole.Whole() != whole || alone.Remaining() != time.Minute {
			t.Errorf("a part has %v of its whole's minute", alone.Remaining())
		}
		alone.End(cause.TermTaken, "b")
		if !errors.Is(alone.Check(), cause.ShardLost) || other.Check() != nil || whole.Check() != nil {
			t.Errorf("one has ended (%v), the other (%v) and the whole (%v) have not", alone.Check(), other.Check(), whole.Check())
		}
		time.Sleep(30 * time.Second)
		whole.Extend(clock())
		time.Sleep(59 * time.Second)
		if other.Check() != nil {
			t.Errorf("the part has ended although the whole was extended: %v", other.Check())
		}
		time.Sleep(2 * time.Second)
		var ended *cause.TermEnded
		if err := other.Err(); !errors.As(err, &ended) || ended.How != cause.TermExpired || !errors.Is(err, cause.ShardLost) {
			t.Errorf("the part ended with %v", err)
		}
		if other.Context().Err() == nil || other.Lost().Err() == nil {
			t.Error("the contexts of a part outlive it")
		}
		if late := part(); late.Check() == nil || late.Context().Err() == nil {
			t.Error("a part begins although its whole has ended")
		}
	})
}
