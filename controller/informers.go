package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

// InformerOptions says what an informer's cache keeps. The zero value works. An informer that a controller
// uses gets its options by [Manager.AddInformer] before that.
type InformerOptions struct {
	// KeepManagedFields keeps metadata.managedFields in the cache. They are dropped by default (C24):
	// they are often half of an object, and few reconcilers read them.
	KeepManagedFields bool

	// Transform changes each object before it is stored, for example to drop what is not needed.
	// The manager sets the informer's own transform, so one set with SetTransform is lost: set it here.
	Transform cache.TransformFunc
}

// informerSet holds the informers that the manager runs. The typed informers that generated factories
// hand out are new wrappers at each call, so an informer is known by its store.
type informerSet struct {
	mu      sync.Mutex
	byStore map[cache.Store]*informer
	ordered []*informer
}

// informer is one of them, with the last error of its list and watch calls.
type informer struct {
	cache.SharedIndexInformer
	name string
	kind string    // of its objects, with their version
	unit work.Unit // that runs it

	mu      sync.Mutex
	lastErr error
}

func (s *informerSet) add(shared cache.SharedIndexInformer, options InformerOptions) (*informer, error) {
	if shared == nil {
		return nil, errors.New("an informer is nil: pass one from a generated informer factory")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byStore[shared.GetStore()]; ok {
		if options.KeepManagedFields || options.Transform != nil {
			return nil, fmt.Errorf("%s has been added already, without these options: call AddInformer before anything else uses it", known.name)
		}
		return known, nil
	}
	inf := &informer{SharedIndexInformer: shared, name: shared.HasSyncedChecker().Name()}
	inf.kind = inf.name[strings.LastIndexAny(inf.name, " *")+1:]
	inf.unit.Kind, inf.unit.Owner = work.Informer, inf.name
	if err := errors.Join(
		shared.SetWatchErrorHandlerWithContext(inf.onError),
		shared.SetTransform(transform(options)),
	); err != nil {
		return nil, fmt.Errorf("%s cannot be run by the manager: %w: add informers before they, or their factory, are started", inf.name, err)
	}
	if s.byStore == nil {
		s.byStore = map[cache.Store]*informer{}
	}
	s.byStore[shared.GetStore()] = inf
	s.ordered = append(s.ordered, inf)
	return inf, nil
}

func (s *informerSet) all() []*informer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ordered
}

func transform(options InformerOptions) cache.TransformFunc {
	return func(obj any) (any, error) {
		if !options.KeepManagedFields {
			if object, err := meta.Accessor(obj); err == nil {
				object.SetManagedFields(nil)
			}
		}
		if options.Transform != nil {
			return options.Transform(obj)
		}
		return obj, nil
	}
}

// label is what metrics call the cache. What it asks the API server for tells its group, a Go type does not; the
// first request is on its way as soon as the informer runs.
func (i *informer) label() string {
	if group := i.unit.Group(); group != "" {
		return group + "/" + i.kind
	}
	return i.kind
}

// age is how long the API server has not sent anything for the cache, below zero before it has.
func (i *informer) age(now time.Time) time.Duration {
	heard := i.unit.LastHeard()
	if heard.IsZero() {
		return -1
	}
	return now.Sub(heard)
}

// onError keeps the last list or watch error, and logs it once until another comes.
func (i *informer) onError(ctx context.Context, _ *cache.Reflector, err error) {
	if ctx.Err() != nil || err == nil {
		return
	}
	i.mu.Lock()
	repeated := i.lastErr != nil && i.lastErr.Error() == err.Error()
	i.lastErr = err
	i.mu.Unlock()
	if !repeated && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) && !utilnet.IsProbableEOF(err) {
		klog.FromContext(ctx).Info("List or watch failed, trying again", "informer", i.name, "err", err)
	}
}

// unsynced says why the cache has not filled.
func (i *informer) unsynced() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.lastErr == nil {
		return fmt.Errorf("%s: the API server has not answered its list yet", i.name)
	}
	return fmt.Errorf("%s: %w%s", i.name, i.lastErr, hint(i.lastErr))
}

// hint says what to do about the errors that newcomers meet.
func hint(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return " (grant list and watch on it to the user that the controller runs as)"
	case apierrors.IsNotFound(err):
		return " (is its CustomResourceDefinition installed?)"
	case apierrors.IsUnauthorized(err):
		return " (the credentials in the kubeconfig or the service account's token are not accepted)"
	case utilnet.IsConnectionRefused(err):
		return " (nothing listens there: is the API server up, and the address in the kubeconfig right?)"
	}
	return ""
}

// awaitSync waits until the caches are full and the handlers have been told of all that is in them. It
// fails after limit, with the last list or watch error of each cache that is not (C23), and when ctx
// ends, with its cause.
func awaitSync(ctx context.Context, limit time.Duration, informers []*informer, handlers []cache.ResourceEventHandlerRegistration) error {
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("its caches have not filled within %v", limit))
	defer cancel()
	checkers := make([]cache.DoneChecker, 0, len(informers)+len(handlers))
	for _, inf := range informers {
		checkers = append(checkers, inf.HasSyncedChecker())
	}
	for _, handler := range handlers {
		checkers = append(checkers, handler.HasSyncedChecker())
	}
	if cache.WaitFor(limited, "", checkers...) {
		return nil
	}
	failed := &syncError{cause: context.Cause(limited)}
	named := map[*informer]bool{} // one informer may be several sources
	for _, inf := range informers {
		if !inf.HasSynced() && !named[inf] {
			named[inf] = true
			failed.caches = append(failed.caches, inf.unsynced())
		}
	}
	return failed
}

// syncError is one line, however many caches have not filled, so that it is one in a log too.
type syncError struct {
	cause  error
	caches []error
}

func (e *syncError) Error() string {
	text := e.cause.Error()
	for i, err := range e.caches {
		text += []string{": ", "; "}[min(i, 1)] + err.Error()
	}
	return text
}

func (e *syncError) Unwrap() []error { return append([]error{e.cause}, e.caches...) }
