// SPDX-License-Identifier: Apache-2.0

package loglines

import (
	"context"
	"errors"

	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/observe"
)

// LoopFound writes a line about an object that triggers its own reconciles.
func (Writer) LoopFound(ctx context.Context, loop *observe.Loop) {
	err := errors.New("each of its reconciles writes, and the write triggers the next reconcile")
	if len(loop.Items) > 1 {
		err = errors.New("its reconciles undo each other's writes, and each write triggers the next reconcile")
	}
	var by []string
	for _, item := range loop.Items {
		by = append(by, item.Controller+" for "+item.Key.String())
	}
	klog.FromContext(ctx).Error(err, "An object is reconciled again and again, its reconciles are delayed from now on: "+
		"write only what differs from what is there, and no time that is new at each reconcile",
		"written", klog.KObj(loop.Object), "write", loop.Write, "changes", loop.Changed, "times", loop.Times, "by", by)
}
