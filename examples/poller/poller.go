// SPDX-License-Identifier: Apache-2.0

// Package poller copies versions from an HTTP API into ConfigMaps. It is an example of a source that
// is no informer: it polls, and its controller reconciles what has changed there.
package poller

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/klog/v2"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/apply"
)

const (
	// Label is the label of the ConfigMaps that the controller fills; its value is the name in the API.
	Label = "poller.example.com/name"
	// Key is where a ConfigMap has the version.
	Key = "version"

	fieldManager = "poller-example"
	timeout      = 10 * time.Second // for one poll
	mostPauses   = 10               // how many intervals may pass between two polls of an API that fails
	mostBytes    = 1 << 20          // of an answer
)

// Options configures the example.
type Options struct {
	URL      string        // of the API: it answers with an object of versions by name
	Interval time.Duration // between two polls
}

type operator struct {
	options Options
	maps    coreclient.ConfigMapsGetter
	cached  corelisters.ConfigMapLister

	mu       sync.Mutex
	versions map[string]string // by name, as last polled
}

// SetUp adds the controller and its source to a manager.
func SetUp(m *controller.Manager, options Options) (*controller.Controller[*corev1.ConfigMap], error) {
	if _, err := url.ParseRequestURI(options.URL); err != nil {
		return nil, fmt.Errorf("the address of the API: %w", err)
	}
	if options.Interval <= 0 {
		return nil, fmt.Errorf("the interval between two polls is %v: set it to more than 0", options.Interval)
	}
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return nil, err
	}
	labelled := func(o *metav1.ListOptions) { o.LabelSelector = Label }
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(
		client, 0, informers.WithTweakListOptions(labelled)))
	maps := factory.Core().V1().ConfigMaps()
	o := &operator{options: options, maps: client.CoreV1(), cached: maps.Lister()}
	c := controller.New(m, "poller", maps.TypedInformer(), o.reconcile, controller.Options{})
	c.AddSource("versions", o.poll)
	return c, nil
}

// poll asks the API again and again, and has those objects reconciled whose version has changed. An
// error of the API is no error of the source, which would end the manager: it is logged when it is new,
// and the polls become fewer until the API answers.
func (o *operator) poll(ctx context.Context, enqueue controller.EnqueueFunc) error {
	var failed error // of the last poll
	for pause := o.options.Interval; ; {
		versions, err := o.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // the poll was cut short
		case err != nil:
			pause = min(2*pause, mostPauses*o.options.Interval)
			if failed == nil || failed.Error() != err.Error() {
				klog.FromContext(ctx).Error(err, "The versions are not known, trying again", "after", pause)
			}
		default:
			if pause = o.options.Interval; failed != nil {
				klog.FromContext(ctx).Info("The versions are known again")
			}
			enqueue(ctx, o.changed(ctx, versions)...)
		}
		failed = err
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// ask returns the versions that the API has.
func (o *operator) ask(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.options.URL, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: the API answered %s", o.options.URL, answer.Status)
	}
	var versions map[string]string
	if err := json.NewDecoder(io.LimitReader(answer.Body, mostBytes)).Decode(&versions); err != nil {
		return nil, fmt.Errorf("get %s: %w", o.options.URL, err)
	}
	return versions, nil
}

// changed keeps the versions, and returns the objects whose version is another one now.
func (o *operator) changed(ctx context.Context, versions map[string]string) (requests []controller.Request) {
	o.mu.Lock()
	before := o.versions
	o.versions = versions
	o.mu.Unlock()
	all, err := o.cached.List(labels.Everything())
	if err != nil {
		klog.FromContext(ctx).Error(err, "The cache cannot be read")
	}
	for _, cm := range all {
		if name := cm.Labels[Label]; before == nil || before[name] != versions[name] {
			requests = append(requests, controller.Request{Namespace: cm.Namespace, Name: cm.Name})
		}
	}
	return requests
}

// reconcile writes the version, if it is known and not there already.
func (o *operator) reconcile(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	o.mu.Lock()
	version, known := o.versions[cm.Labels[Label]]
	o.mu.Unlock()
	if !known {
		return controller.Result{}, nil
	}
	desired := coreac.ConfigMap(cm.Name, cm.Namespace).WithUID(cm.UID).WithData(map[string]string{Key: version})
	_, err := apply.IfDifferent(ctx, cm, desired, o.maps.ConfigMaps(cm.Namespace).Apply,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return controller.Result{}, err
}
