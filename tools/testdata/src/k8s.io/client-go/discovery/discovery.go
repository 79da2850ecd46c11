// Package discovery has the signatures of the real one that the goldens need.
package discovery

import "context"

type DiscoveryInterface interface {
	ServerGroups() (int, error)
}

type DiscoveryInterfaceWithContext interface {
	ServerGroupsWithContext(ctx context.Context) (int, error)
}

func ToDiscoveryInterfaceWithContext(i DiscoveryInterface) DiscoveryInterfaceWithContext { return nil }
