// SPDX-License-Identifier: Apache-2.0

// Package served has a client for every kind that an API server serves.
package served

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Client has the resource of each kind that the API server served when it was made.
type Client struct {
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	groups  []*restmapper.APIGroupResources
}

// NewClient asks the API server what it serves.
func NewClient(config *rest.Config) (*Client, error) {
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := restmapper.GetAPIGroupResources(discoverer)
	if err != nil {
		return nil, fmt.Errorf("ask what the API server serves: %w", err)
	}
	return &Client{dynamic: d, mapper: restmapper.NewDiscoveryRESTMapper(groups), groups: groups}, nil
}

// Kind returns the client for a kind, and whether its objects are in namespaces. A namespace that such an object
// does not have is set.
func (c *Client) Kind(gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, bool, error) {
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, false, fmt.Errorf("the API server does not serve the kind: %w", err)
	}
	resource, namespaced := c.of(mapping, namespace)
	return resource, namespaced, nil
}

// Resource is Kind for a resource, such as deployments.apps, in the version that the API server prefers.
func (c *Client) Resource(name schema.GroupResource, namespace string) (dynamic.ResourceInterface, bool, error) {
	kind, err := c.mapper.KindFor(name.WithVersion(""))
	if err != nil {
		return nil, false, fmt.Errorf("the API server does not serve %s: %w", name, err)
	}
	return c.Kind(kind, namespace)
}

// ResourceOf returns the resource of a kind.
func (c *Client) ResourceOf(gvk schema.GroupVersionKind) (schema.GroupResource, error) {
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return schema.GroupResource{}, fmt.Errorf("the API server does not serve the kind: %w", err)
	}
	return mapping.Resource.GroupResource(), nil
}

// Namespaced returns the resources in namespaces that can be listed.
func (c *Client) Namespaced() (resources []schema.GroupResource) {
	for _, group := range c.groups {
		for _, each := range group.VersionedResources[group.Group.PreferredVersion.Version] {
			if each.Namespaced && slices.Contains(each.Verbs, "list") && !strings.Contains(each.Name, "/") &&
				each.Name != "endpoints" { // about which the API server warns
				resources = append(resources, schema.GroupResource{Group: group.Group.Name, Resource: each.Name})
			}
		}
	}
	return resources
}

func (c *Client) of(mapping *meta.RESTMapping, namespace string) (dynamic.ResourceInterface, bool) {
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource).Namespace(namespace), true
	}
	return c.dynamic.Resource(mapping.Resource), false
}
