// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/cause"
	"github.com/lanyard-k8s/lanyard/controller/internal/dryrun"
	"github.com/lanyard-k8s/lanyard/controller/internal/transport"
)

// planning is the dry run of a manager. It knows when the plan is complete. Nil is none. It is safe for
// concurrent use.
type planning struct {
	options  DryRun
	recorder *dryrun.Recorder

	mu   sync.Mutex
	open map[any]struct{} // what has not done its part
	end  context.CancelCauseFunc
}

// newPlanning returns nil without options.
func newPlanning(options *DryRun, schemes *schemes) *planning {
	if options == nil {
		return nil
	}
	p := &planning{options: *options, open: map[any]struct{}{}}
	p.recorder = dryrun.New(func() []*runtime.Scheme { return schemes.all() })
	p.options.Rounds = cmp.Or(p.options.Rounds, 1)
	return p
}

// config returns a configuration whose clients are dry, and seen by the recorder.
func (p *planning) config(config *rest.Config) *rest.Config {
	return transport.Dry(config, p.recorder.RoundTripper(config.Host))
}

// rounds returns how often each object is reconciled; zero for as often as it is needed.
func (p *planning) rounds() int {
	if p == nil {
		return 0
	}
	return p.options.Rounds
}

// skips reports whether something that is no controller is left out. The plan names it then.
func (p *planning) skips(what string) bool {
	if p == nil || p.options.Runnables {
		return false
	}
	p.recorder.NotRun(what)
	return true
}

// begin says how to end the run.
func (p *planning) begin(end context.CancelCauseFunc) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = end
	p.check()
}

// add adds a part to wait for.
func (p *planning) add(part any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[part] = struct{}{}
}

// done says that a part has done what there is to do, or is gone.
func (p *planning) done(part any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, part)
	p.check()
}

// looked says that a part has looked for what there is to do, with an error if it could not tell.
func (p *planning) looked(part any, err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	_, first := p.open[part]
	p.mu.Unlock()
	if first && err != nil {
		p.recorder.Failed(err)
	}
	p.done(part)
}

func (p *planning) check() {
	if len(p.open) == 0 && p.end != nil {
		p.end(cause.DryRun)
	}
}
