// SPDX-License-Identifier: Apache-2.0

package page

import (
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// page is what the handlers share.
type page struct {
	source  Source
	options Options
	frames  *frames
	viewers viewers
}

// named is a snapshot with the name of the program.
type named struct {
	Name string `json:"name"`
	*snapshot.Snapshot
}

func (p *page) snapshot() named { return named{p.options.Name, p.source.Snapshot()} }

// told is the answer about an object.
type told struct {
	Stories []*snapshot.Story `json:"stories"`
	Text    string            `json:"text"`
}

func (p *page) tell(request reconcile.Request) told {
	t := told{Stories: p.source.Stories(request)}
	texts := make([]string, 0, len(t.Stories))
	for _, story := range t.Stories {
		texts = append(texts, story.Text())
	}
	t.Text = strings.Join(texts, "\n")
	return t
}
