// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Manifests are roles and bindings, with the files in which they are. The zero value is empty.
type Manifests struct {
	roles           []manifest[*rbacv1.Role]
	clusterRoles    []manifest[*rbacv1.ClusterRole]
	bindings        []manifest[*rbacv1.RoleBinding]
	clusterBindings []manifest[*rbacv1.ClusterRoleBinding]
}

// manifest is an object and the file in which it is.
type manifest[T metav1.Object] struct {
	file   string
	object T
}

// Load reads YAML and JSON files. Of a folder, it reads all files ending in .yaml, .yml or .json, but
// not those in folders below. It skips objects that are not roles and bindings. Where kustomize changes
// names or namespaces, load what it has built.
func Load(paths ...string) (*Manifests, error) {
	m := &Manifests{}
	for _, path := range paths {
		files, err := filesOf(path)
		if err != nil {
			return nil, fmt.Errorf("load roles: %w", err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file) //nolint:gosec // the caller names the files
			if err != nil {
				return nil, fmt.Errorf("load roles: %w", err)
			}
			if err := m.read(file, content); err != nil {
				return nil, fmt.Errorf("load roles: %s: %w", file, err)
			}
		}
	}
	return m, nil
}

// filesOf returns the manifests of a folder, or the file itself.
func filesOf(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		info, failed := os.Stat(path)
		if failed == nil && !info.IsDir() {
			return []string{path}, nil
		}
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) && !entry.IsDir() {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no file that ends in .yaml, .yml or .json", path)
	}
	return files, nil
}

// Add adds objects, such as those that kustomize has built. source is what messages call the place
// where they are. Objects that are not roles and bindings are skipped.
func (m *Manifests) Add(source string, objects ...runtime.Object) error {
	for _, object := range objects {
		content, err := encode(object)
		if err == nil {
			err = m.decode(source, content)
		}
		if err != nil {
			return fmt.Errorf("add roles of %s: %w", source, err)
		}
	}
	return nil
}

// encode writes an object with its kind, which typed objects may not say.
func encode(object runtime.Object) ([]byte, error) {
	kind := ""
	switch object.(type) {
	case *rbacv1.Role:
		kind = "Role"
	case *rbacv1.ClusterRole:
		kind = "ClusterRole"
	case *rbacv1.RoleBinding:
		kind = "RoleBinding"
	case *rbacv1.ClusterRoleBinding:
		kind = "ClusterRoleBinding"
	}
	if kind != "" {
		object = object.DeepCopyObject()
		object.GetObjectKind().SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind(kind))
	}
	return json.Marshal(object)
}

// read adds the documents of a file.
func (m *Manifests) read(file string, content []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = m.decode(file, document)
		}
		if err != nil {
			return err
		}
	}
}

// decode adds one document.
func (m *Manifests) decode(file string, document []byte) error {
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Items           []json.RawMessage `json:"items"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return err
	}
	gvk := schema.FromAPIVersionAndKind(head.APIVersion, head.Kind)
	switch {
	case head.APIVersion == "v1" && head.Kind == "List":
		for _, item := range head.Items {
			if err := m.decode(file, item); err != nil {
				return err
			}
		}
		return nil
	case gvk.Group != rbacv1.GroupName:
		return nil
	case gvk.Version != rbacv1.SchemeGroupVersion.Version:
		return fmt.Errorf("a %s is of the version %s: use %s", gvk.Kind, gvk.Version, rbacv1.SchemeGroupVersion)
	}
	return m.decodeKind(file, gvk.Kind, document)
}

func (m *Manifests) decodeKind(file, kind string, document []byte) (err error) {
	switch kind {
	case "Role":
		m.roles, err = add(m.roles, file, kind, document, &rbacv1.Role{})
	case "ClusterRole":
		m.clusterRoles, err = add(m.clusterRoles, file, kind, document, &rbacv1.ClusterRole{})
	case "RoleBinding":
		m.bindings, err = add(m.bindings, file, kind, document, &rbacv1.RoleBinding{})
	case "ClusterRoleBinding":
		m.clusterBindings, err = add(m.clusterBindings, file, kind, document, &rbacv1.ClusterRoleBinding{})
	default:
		err = fmt.Errorf("the kind %s is not known", kind)
	}
	return err
}

// add decodes an object and adds it.
func add[T metav1.Object](
	to []manifest[T], file, kind string, document []byte, object T,
) ([]manifest[T], error) {
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return to, fmt.Errorf("a %s: %w", kind, err)
	}
	if other := find(to, object.GetNamespace(), object.GetName()); other != nil {
		return to, fmt.Errorf("the %s %s is in %s too: load each object once", kind, object.GetName(), other.file)
	}
	return append(to, manifest[T]{file, object}), nil
}

// find returns the object of a name, or nil.
func find[T metav1.Object](in []manifest[T], namespace, name string) *manifest[T] {
	for i := range in {
		if in[i].object.GetNamespace() == namespace && in[i].object.GetName() == name {
			return &in[i]
		}
	}
	return nil
}
