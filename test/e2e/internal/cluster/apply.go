// SPDX-License-Identifier: Apache-2.0

// Package cluster puts manifests into a cluster and waits until they are of use.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/lanyard-k8s/lanyard/test/crds"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
)

// ErrWarning is the error of an object that the API server accepted, but with a warning.
var ErrWarning = errors.New("the API server warns")

// fieldManager owns what is applied here.
const fieldManager = "lanyard-test"

// ApplyConfig builds the kustomizations config/{names} of the repository in root and applies them by
// server-side apply. Objects of a namespaced kind that name no namespace go into the given one.
// Definitions are waited for. A warning of the API server is an error, [ErrWarning].
func ApplyConfig(ctx context.Context, config *rest.Config, root, namespace string, names ...string) error {
	for _, name := range names {
		objects, err := kustomize.Build(filepath.Join(root, "config", name))
		if err != nil {
			return err
		}
		if err := Apply(ctx, config, namespace, objects); err != nil {
			return fmt.Errorf("apply config/%s: %w", name, err)
		}
	}
	return nil
}

// Apply applies objects in their order, as ApplyConfig does.
func Apply(ctx context.Context, config *rest.Config, namespace string, objects []*unstructured.Unstructured) error {
	heard := &warnings{}
	config = rest.CopyConfig(config)
	config.WarningHandlerWithContext = heard
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := applyOne(ctx, config, client, namespace, object); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return heard.err()
}

func applyOne(ctx context.Context, config *rest.Config, client dynamic.Interface, namespace string, object *unstructured.Unstructured) error {
	if object.GetKind() == "CustomResourceDefinition" {
		return crds.InstallObjects(ctx, config, object)
	}
	mapping, err := mappingOf(config, object.GroupVersionKind())
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if own := object.GetNamespace(); own != "" {
			namespace = own
		}
		resource = client.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}

func mappingOf(config *rest.Config, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	resources, err := client.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDiscoveryRESTMapper([]*restmapper.APIGroupResources{{
		Group: metav1.APIGroup{Name: gvk.Group, Versions: []metav1.GroupVersionForDiscovery{{
			GroupVersion: gvk.GroupVersion().String(), Version: gvk.Version,
		}}},
		VersionedResources: map[string][]metav1.APIResource{gvk.Version: resources.APIResources},
	}})
	return mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
}

// warnings collects what the API server warns of.
type warnings struct {
	mu   sync.Mutex
	text []string
}

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text)
}

func (w *warnings) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.text) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %q", ErrWarning, w.text)
}
