// SPDX-License-Identifier: Apache-2.0

package crds

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const (
	fieldManager = "lanyard-crds"
	pollPeriod   = 25 * time.Millisecond
	// refusalTime is how long names have to be refused until that is an error: the names of a definition that was
	// deleted a moment ago may not be free yet.
	refusalTime = 3 * time.Second
)

// cluster is where definitions are installed.
type cluster struct {
	client    dynamic.Interface
	discovery *discovery.DiscoveryClient
}

func newCluster(config *rest.Config) (*cluster, error) {
	if config == nil {
		return nil, errors.New("there is no rest.Config: pass that of the cluster")
	}
	// Each definition takes a few dozen quick reads.
	config = rest.CopyConfig(config)
	config.QPS, config.RateLimiter = -1, nil
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &cluster{client: client, discovery: disco}, nil
}

func (c *cluster) definitions() dynamic.ResourceInterface {
	return c.client.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
}

// apply applies a definition. One of the same name that is being deleted is waited for.
func (c *cluster) apply(ctx context.Context, d *definition) error {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": d.object.Object["spec"]}}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetName(d.name())
	o.SetLabels(d.object.GetLabels())
	o.SetAnnotations(d.object.GetAnnotations())
	return poll(ctx, "its predecessor is gone", func(ctx context.Context) (bool, error) {
		applied, err := c.definitions().Apply(ctx, d.name(), o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
		if err != nil {
			return false, fmt.Errorf("apply what is in %s: %w", d.from, err)
		}
		if applied.GetDeletionTimestamp() != nil {
			return false, notYet("a CRD of this name is being deleted, and has objects or finalizers left")
		}
		return true, nil
	})
}

// wait returns when the API server serves all versions of a definition.
func (c *cluster) wait(ctx context.Context, d *definition) error {
	var refused time.Time
	err := poll(ctx, "it is established", func(ctx context.Context) (bool, error) {
		o, err := c.definitions().Get(ctx, d.name(), metav1.GetOptions{})
		if err != nil {
			return false, fmt.Errorf("read it: %w", err)
		}
		names, established := conditionOf(o, "NamesAccepted"), conditionOf(o, "Established")
		switch {
		case names.status == "False":
			if refused.IsZero() {
				refused = time.Now()
			}
			if time.Since(refused) > refusalTime {
				return false, fmt.Errorf("%v: choose other names, or delete the CRD that has them", names)
			}
			return false, notYet(names.String())
		case names.status != "True":
			return false, notYet(names.String())
		case established.status != "True":
			return false, notYet(established.String())
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, resource := range d.served() {
		if err := c.waitServed(ctx, resource); err != nil {
			return err
		}
	}
	return nil
}

// waitServed returns when the API server serves a version: to clients that know it, and to those that look.
func (c *cluster) waitServed(ctx context.Context, resource schema.GroupVersionResource) error {
	what := fmt.Sprintf("version %s is served", resource.Version)
	return poll(ctx, what, func(ctx context.Context) (bool, error) {
		_, err := c.client.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil {
			return false, unlessLasting("list "+resource.Resource, err)
		}
		list, err := c.discovery.ServerResourcesForGroupVersionWithContext(ctx, resource.GroupVersion().String())
		if err != nil {
			return false, unlessLasting("discover "+resource.GroupVersion().String(), err)
		}
		for _, served := range list.APIResources {
			if served.Name == resource.Resource {
				return true, nil
			}
		}
		return false, notYet("discovery does not have " + resource.Resource)
	})
}

// unlessLasting is an error that may pass, such as that nothing is served yet.
func unlessLasting(what string, err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return notYet(fmt.Sprintf("%s: %v", what, err))
}

// notYet says what there is still to wait for.
type notYet string

func (n notYet) Error() string { return string(n) }

// poll calls check until it is true, it fails, or ctx ends. What there was to wait for is part of the error.
func poll(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	var last notYet
	err := wait.PollUntilContextCancel(ctx, pollPeriod, true, func(ctx context.Context) (bool, error) {
		ok, err := check(ctx)
		if errors.As(err, &last) {
			return false, nil
		}
		return ok, err
	})
	if err == nil || context.Cause(ctx) == nil {
		return err
	}
	if last == "" {
		return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
	}
	return fmt.Errorf("wait until %s: %w; it was: %w", what, context.Cause(ctx), last)
}

// condition is one of a definition's.
type condition struct{ kind, status, reason, message string }

func (c condition) String() string {
	if c.status == "" {
		return "it has no condition " + c.kind
	}
	return fmt.Sprintf("its condition %s is %s (%s: %s)", c.kind, c.status, c.reason, c.message)
}

func conditionOf(o *unstructured.Unstructured, kind string) condition {
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, entry := range all {
		fields, _ := entry.(map[string]any)
		text := func(name string) string { s, _ := fields[name].(string); return s }
		if text("type") == kind {
			return condition{kind, text("status"), text("reason"), text("message")}
		}
	}
	return condition{kind: kind}
}
