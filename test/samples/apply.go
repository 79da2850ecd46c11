// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/test/internal/served"
)

// fieldManager owns what is applied here.
const fieldManager = "lanyard-samples"

// Apply applies the objects in files by server-side apply, in the order of the files and in the files, and returns
// their names. A path is a file, or a folder, of which it takes the files that end in .yaml, .yml or .json.
// Kustomizations are skipped. Objects that name no namespace go into the given one. The kinds have to be served.
//
// The error names the file and the object. What was applied before it stays.
func Apply(ctx context.Context, config *rest.Config, namespace string, paths ...string) ([]Reference, error) {
	client, err := served.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("apply samples: %w", err)
	}
	files, err := filesOf(paths)
	if err != nil {
		return nil, fmt.Errorf("apply samples: %w", err)
	}
	var applied []Reference
	for _, file := range files {
		objects, err := read(file)
		if err != nil {
			return applied, fmt.Errorf("apply samples: %s: %w", file, err)
		}
		for _, object := range objects {
			reference, err := apply(ctx, client, object, namespace)
			if err != nil {
				return applied, fmt.Errorf("apply samples: %s: %s %s: %w", file, object.GetKind(), object.GetName(), err)
			}
			applied = append(applied, reference)
		}
	}
	return applied, nil
}

func apply(
	ctx context.Context, client *served.Client, object *unstructured.Unstructured, namespace string,
) (Reference, error) {
	if own := object.GetNamespace(); own != "" {
		namespace = own
	}
	resource, namespaced, err := client.Kind(object.GroupVersionKind(), namespace)
	if err != nil {
		return Reference{}, err
	}
	if namespaced {
		object.SetNamespace(namespace)
	}
	_, err = resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return Reference{
		APIVersion: object.GetAPIVersion(), Kind: object.GetKind(),
		Namespace: object.GetNamespace(), Name: object.GetName(),
	}, err
}

func filesOf(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		before := len(files)
		for _, entry := range entries {
			if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) && !entry.IsDir() {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s has no file that ends in .yaml, .yml or .json", path)
		}
	}
	return files, nil
}

func read(file string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(file) //nolint:gosec // the caller names the files
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		switch {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(object.Object) == 0, object.GroupVersionKind().Group == "kustomize.config.k8s.io":
			continue
		case object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "":
			return nil, errors.New("an object needs an apiVersion, a kind and a metadata.name")
		}
		objects = append(objects, object)
	}
}
