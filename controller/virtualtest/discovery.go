// SPDX-License-Identifier: Apache-2.0

package virtualtest

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// discover answers a request for what there is; nil if its path is another.
func discover(s served, path string) any {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/version":
		return &version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.0-virtualtest"}
	case path == "/api":
		return &metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}}
	case path == "/apis":
		return groupsOf(s)
	case parts[0] == "api" && len(parts) == 2:
		return resourcesOf(s, "", parts[1])
	case parts[0] == "apis" && len(parts) == 3:
		return resourcesOf(s, parts[1], parts[2])
	}
	return nil
}

func groupsOf(s served) *metav1.APIGroupList {
	list := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIGroupList"}}
	groups, versions := s.versions()
	for _, name := range groups {
		if name == "" {
			continue
		}
		group := metav1.APIGroup{Name: name}
		for _, v := range versions[name] {
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + v, Version: v})
		}
		group.PreferredVersion = group.Versions[0]
		list.Groups = append(list.Groups, group)
	}
	return list
}

// resourcesOf returns the resources of a version; nil if there are none.
func resourcesOf(s served, group, version string) any {
	list := &metav1.APIResourceList{
		TypeMeta:     metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"},
		GroupVersion: strings.TrimPrefix(group+"/"+version, "/"),
	}
	for _, r := range s {
		if r.Group != group || r.Version != version {
			continue
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: r.Plural, SingularName: strings.ToLower(r.Kind), Kind: r.Kind, Namespaced: !r.ClusterScoped,
			Verbs: metav1.Verbs{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"},
		})
		if !r.NoStatus {
			list.APIResources = append(list.APIResources, metav1.APIResource{
				Name: r.Plural + "/status", Kind: r.Kind, Namespaced: !r.ClusterScoped,
				Verbs: metav1.Verbs{"get", "patch", "update"},
			})
		}
	}
	if len(list.APIResources) == 0 {
		return nil
	}
	return list
}
