// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// feeding is the sources that feed the queue of a session. Pipeline.mu guards it.
type feeding struct {
	queue *Queue
	start func(Source) (Feed, error) // on the session's context
	feeds map[Source]Feed
}

func (f *feeding) add(name string, source Source) error {
	feed, err := f.start(source)
	if err != nil {
		return fmt.Errorf("controller %q: %s: %w", name, source.Name(), err)
	}
	f.feeds[source] = feed
	return nil
}

// AddSource adds a source. If a session runs, the source feeds its queue at once.
func (p *Pipeline) AddSource(source Source) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.feeding != nil {
		if err := p.feeding.add(p.config.Name, source); err != nil {
			return err
		}
	}
	p.sources = append(p.sources, source)
	return nil
}

// RemoveSource removes a source. It returns when the source does not feed any queue.
func (p *Pipeline) RemoveSource(source Source) {
	p.mu.Lock()
	p.sources = slices.DeleteFunc(slices.Clone(p.sources), func(s Source) bool { return s == source })
	var feed Feed
	if p.feeding != nil {
		feed = p.feeding.feeds[source]
		delete(p.feeding.feeds, source)
	}
	p.mu.Unlock()
	if feed != nil {
		feed.Stop()
	}
}

func (p *Pipeline) allSources() []Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sources)
}

// feed starts the sources of a session and waits until its queue was told of all that is in their
// caches.
func (p *Pipeline) feed(ctx context.Context, f *feeding) error {
	f.start = func(source Source) (Feed, error) { return source.Start(ctx, f.queue) }
	caches := p.config.Caches(ctx)
	feeds, err := p.startFeeding(f)
	if err != nil {
		return err
	}
	caches = append(caches, cachesOf(p.allSources())...)
	return p.notStarted(awaitSync(ctx, p.config.SyncTimeout, caches, feeds))
}

func (p *Pipeline) startFeeding(f *feeding) ([]Feed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeding = f
	feeds := make([]Feed, 0, len(p.sources))
	for _, source := range p.sources {
		if err := f.add(p.config.Name, source); err != nil {
			return nil, err
		}
		feeds = append(feeds, f.feeds[source])
	}
	return feeds, nil
}

// stopFeeding ends the feeds of a session, and returns when they do not add to its queue.
func (p *Pipeline) stopFeeding(f *feeding) {
	p.mu.Lock()
	p.feeding = nil
	p.stopping = f
	p.mu.Unlock()
	for _, feed := range f.feeds {
		feed.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping == f {
		p.stopping = nil
	}
}

// leaveStalled leaves out, of the feeds to stop, those in which a function of the user does not return:
// its end would be waited for before the error that names it could be returned. That error ends the
// manager, and the informer waits for the function.
func (p *Pipeline) leaveStalled(f *feeding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for source, feed := range f.feeds {
		if staller, ok := feed.(Staller); ok && staller.Stalled(now, 0) != nil {
			delete(f.feeds, source)
		}
	}
}

// Stalled returns an error that names the functions of the user which have been running for longer
// than a time, and meanwhile keep events from the queue, or the feeds from stopping.
func (p *Pipeline) Stalled(now time.Time, after time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, f := range []*feeding{p.feeding, p.stopping} {
		if f == nil {
			continue
		}
		for _, feed := range f.feeds {
			if staller, ok := feed.(Staller); ok {
				errs = append(errs, staller.Stalled(now, after))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("controller %q: %w", p.config.Name, err)
	}
	return nil
}
