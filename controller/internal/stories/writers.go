// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
	"github.com/lanyard-k8s/lanyard/controller/reconcile"
)

// maxWriters bounds what is kept of who writes what. A program has a few dozen.
const maxWriters = 512

type writerKey struct{ controller, verb, resource string }

type writers map[writerKey]*Writer

// Writer is what a controller has written of one resource with one verb.
type Writer struct {
	Controller, Verb, Resource     string
	Writes, WithoutEffect, Unknown int64
	Last                           time.Time
	By                             reconcile.Request // the item that has written last
}

// wrote counts the writes of a reconcile.
func (w *writers) wrote(by Key, at time.Time, all []work.Written) {
	for i := range all {
		written := &all[i]
		key := writerKey{by.Controller, written.Verb, written.Resource}
		known := (*w)[key]
		if known == nil {
			if len(*w) >= maxWriters {
				continue
			}
			if *w == nil {
				*w = writers{}
			}
			known = &Writer{Controller: key.controller, Verb: key.verb, Resource: key.resource}
			(*w)[key] = known
		}
		known.Writes += int64(written.Attempts)
		known.WithoutEffect += int64(written.WithoutEffect)
		known.Unknown += int64(written.Unknown)
		known.Last = at
		known.By = by.Item
	}
}

// all returns who has written what, most writes first.
func (w writers) all() []Writer {
	list := make([]Writer, 0, len(w))
	for _, each := range w {
		list = append(list, *each)
	}
	slices.SortFunc(list, func(a, b Writer) int {
		return cmp.Or(cmp.Compare(b.Writes, a.Writes), strings.Compare(a.Controller, b.Controller),
			strings.Compare(a.Resource, b.Resource), strings.Compare(a.Verb, b.Verb))
	})
	return list
}
