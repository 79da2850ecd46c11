// SPDX-License-Identifier: Apache-2.0

package crds_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
	"github.com/lanyard-k8s/lanyard/test/crds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const config = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
`

// widgetsCRD returns the definition in testdata.
func widgetsCRD(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile("testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &crd.Object); err != nil {
		t.Fatal(err)
	}
	return crd
}

// bubble runs a test in virtual time, with an API that keeps definitions, and serves Widgets in these versions
// whatever the definitions say.
func bubble(t *testing.T, f func(*testing.T, *virtualtest.API), versions ...string) {
	synctest.Test(t, func(t *testing.T) {
		all := []virtualtest.Resource{{
			Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition", ClusterScoped: true,
		}}
		for _, v := range versions {
			all = append(all, virtualtest.Resource{Group: "example.com", Version: v, Kind: "Widget"})
		}
		f(t, virtualtest.NewAPI(t, all...))
	})
}

// say sets a condition of the definition in the API, after a while.
func say(api *virtualtest.API, after time.Duration, conditions ...string) {
	go func() {
		time.Sleep(after)
		crd := &unstructured.Unstructured{}
		crd.SetAPIVersion("apiextensions.k8s.io/v1")
		crd.SetKind("CustomResourceDefinition")
		crd.SetName("widgets.example.com")
		api.Get(crd)
		var all []any
		for _, c := range conditions {
			kind, status, _ := strings.Cut(c, "=")
			all = append(all, map[string]any{"type": kind, "status": status, "reason": "Because", "message": "of a test"})
		}
		crd.Object["status"] = map[string]any{"conditions": all}
		api.UpdateStatus(crd)
	}()
}

func TestItReturnsWhenTheAPIServesEachVersion(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		say(api, 5*time.Second, "NamesAccepted=True", "Established=True")
		began := time.Now()
		unserved := func(c virtualtest.Call) bool {
			return c.Resource == "widgets" && c.Version == "v1beta1" && time.Since(began) < 8*time.Second
		}
		api.Before(func(_ context.Context, c virtualtest.Call) error {
			if unserved(c) {
				return apierrors.NewNotFound(schema.GroupResource{}, "")
			}
			return nil
		})
		if err := crds.Install(t.Context(), api.Config(), "testdata"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 8*time.Second || took > 9*time.Second {
			t.Errorf("it took %v", took)
		}
		again := time.Now()
		if err := crds.Install(t.Context(), api.Config(), "testdata/widgets.yaml"); err != nil || time.Since(again) > 0 {
			t.Errorf("again: %v, after %v", err, time.Since(again))
		}
	}, "v1", "v1beta1")
}

func TestTheErrorNamesTheDefinitionAndWhatItWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		conditions []string
		after      time.Duration
		want       []string
	}{
		"no condition":    {nil, time.Minute, []string{"it has no condition NamesAccepted", "within 1m0s"}},
		"names refused":   {[]string{"NamesAccepted=False"}, 3 * time.Second, []string{"its condition NamesAccepted is False (Because: of a test)", "choose other names"}},
		"not established": {[]string{"NamesAccepted=True", "Established=False"}, time.Minute, []string{"its condition Established is False"}},
		"a version is not served": {
			[]string{"NamesAccepted=True", "Established=True"}, time.Minute,
			[]string{"wait until version v1beta1 is served", "list widgets"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, api *virtualtest.API) {
				say(api, time.Second/2, test.conditions...)
				began := time.Now()
				err := crds.InstallObjects(t.Context(), api.Config(), widgetsCRD(t))
				for _, want := range append(test.want, "install CRD widgets.example.com: ") {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not have %q: %v", want, err)
					}
				}
				if took := time.Since(began); took < test.after || took > test.after+2*time.Second {
					t.Errorf("it took %v, want %v", took, test.after)
				}
				if test.after == time.Minute && !errors.Is(err, crds.ErrTimeout) {
					t.Errorf("it is not ErrTimeout: %v", err)
				}
			}, "v1")
		})
	}
}

func TestAnObjectOfYAMLWithNumbersOfGoIsInstalled(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		crd := widgetsCRD(t)
		schema := crd.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)["schema"].(map[string]any)
		schema["openAPIV3Schema"].(map[string]any)["maxProperties"] = 3 // an int, as some parsers make them
		say(api, time.Second, "NamesAccepted=True", "Established=True")
		if err := crds.InstallObjects(t.Context(), api.Config(), crd); err != nil {
			t.Error(err)
		}
	}, "v1", "v1beta1")
}

func TestItEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		why, began := errors.New("enough"), time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Minute, why)
		defer cancel()
		err := crds.InstallObjects(ctx, api.Config(), widgetsCRD(t))
		if !errors.Is(err, why) || time.Since(began) != 2*time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestADefinitionMayHaveNumbersAsYAMLLibrariesMakeThem(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		crd := widgetsCRD(t)
		version := crd.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
		schema["minProperties"] = 1 // an int, which cannot be copied
		say(api, time.Second, "NamesAccepted=True", "Established=True")
		if err := crds.InstallObjects(t.Context(), api.Config(), crd); err != nil {
			t.Error(err)
		}
		if schema["minProperties"] != 1 {
			t.Error("the object was changed")
		}
	}, "v1", "v1beta1")
}

func TestADefinitionThatIsBeingDeletedIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		old := widgetsCRD(t)
		old.SetFinalizers([]string{"example.com/held"})
		api.Create(old)
		api.Delete(old)
		go func() {
			time.Sleep(10 * time.Second)
			api.Get(old)
			old.SetFinalizers(nil)
			api.Update(old)
		}()
		say(api, 11*time.Second, "NamesAccepted=True", "Established=True")
		began := time.Now()
		err := crds.InstallObjects(t.Context(), api.Config(), widgetsCRD(t))
		if took := time.Since(began); err != nil || took < 11*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if api.Get(old); old.GetDeletionTimestamp() != nil {
			t.Error("the old one is still there")
		}
	}, "v1", "v1beta1")
}

func TestARefusedDefinitionIsAnErrorAtOnceWithItsFile(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		api.Before(func(context.Context, virtualtest.Call) error { return apierrors.NewUnauthorized("who are you") })
		err := crds.Install(t.Context(), api.Config(), "testdata")
		if !apierrors.IsUnauthorized(err) || !strings.Contains(err.Error(), "testdata/widgets.yaml") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestBadInputIsAnErrorThatNamesItAndNothingIsSent(t *testing.T) {
	files := fstest.MapFS{}
	dir := t.TempDir()
	crd, err := os.ReadFile("testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty/readme.md": "# nothing", "config/a.yaml": config, "mixed/a.yaml": string(crd) + "\n---\n" + config,
		"broken/a.yaml": "a: [", "comment/a.yaml": "# nothing\n---\n",
		"old/a.yaml":      "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n",
		"unserved/a.yaml": strings.ReplaceAll(string(crd), "served: true", "served: false"),
		"nameless/a.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
		"good/a.yaml":     string(crd), "good/kustomization.yaml": "resources: [a.yaml]\n", "good/notes.txt": "no YAML",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for folder, want := range map[string]struct {
		is   error
		text string
	}{
		"empty": {crds.ErrNoCRD, "empty"}, "comment": {crds.ErrNoCRD, "comment"}, "config": {crds.ErrNotCRD, `ConfigMap "settings" of v1`},
		"mixed": {crds.ErrNotCRD, "mixed/a.yaml"}, "old": {crds.ErrNotCRD, "v1beta1"}, "missing": {os.ErrNotExist, "missing"},
		"broken": {nil, "broken/a.yaml"}, "unserved": {nil, "set served to true"}, "nameless": {nil, "no metadata.name"},
	} {
		for from, install := range map[string]func(*rest.Config) error{
			"folder": func(c *rest.Config) error {
				return crds.Install(t.Context(), c, filepath.Join(dir, "good"), filepath.Join(dir, folder))
			},
			"file system": func(c *rest.Config) error { return crds.InstallFS(t.Context(), c, files, "good", folder) },
		} {
			err := install(&rest.Config{Host: "http://unused.invalid"})
			if err == nil || !strings.Contains(err.Error(), want.text) || want.is != nil && !errors.Is(err, want.is) {
				t.Errorf("%s from a %s: %v", folder, from, err)
			}
		}
	}
	unused := &rest.Config{Host: "http://unused.invalid"}
	for name, err := range map[string]error{
		"no paths": crds.Install(t.Context(), unused), "no objects": crds.InstallObjects(t.Context(), unused),
		"a nil object":  crds.InstallObjects(t.Context(), unused, runtime.Object((*unstructured.Unstructured)(nil))),
		"a nil config":  crds.InstallObjects(t.Context(), nil, widgetsCRD(t)),
		"no file in FS": crds.InstallFS(t.Context(), unused, fstest.MapFS{}),
	} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

// CustomResourceDefinition is like the one of apiextensions: the kind is known by the name of the Go type.
type CustomResourceDefinition struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec any `json:"spec"`
}

func (c *CustomResourceDefinition) DeepCopyObject() runtime.Object {
	copied := *c
	return &copied
}

func TestAGoObjectNeedsNoAPIVersionAndIsNotChanged(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		say(api, time.Second, "NamesAccepted=True", "Established=True")
		crd := &CustomResourceDefinition{Spec: widgetsCRD(t).Object["spec"]}
		crd.Name, crd.Labels, crd.Annotations = "widgets.example.com", map[string]string{"a": "b"}, map[string]string{"c": "d"}
		if err := crds.InstallObjects(t.Context(), api.Config(), crd); err != nil {
			t.Fatal(err)
		}
		if crd.Kind != "" {
			t.Errorf("the object has got the kind %s", crd.Kind)
		}
		got := widgetsCRD(t)
		api.Get(got)
		if got.GetLabels()["a"] != "b" || got.GetAnnotations()["c"] != "d" {
			t.Errorf("the labels are %v, the annotations %v", got.GetLabels(), got.GetAnnotations())
		}
	}, "v1", "v1beta1")
}

func TestALastingRefusalOfAListIsAnErrorAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API) {
		say(api, time.Second, "NamesAccepted=True", "Established=True")
		api.Before(func(_ context.Context, c virtualtest.Call) error {
			if c.Resource == "widgets" {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "widgets"}, "", errors.New("no role"))
			}
			return nil
		})
		began := time.Now()
		err := crds.InstallObjects(t.Context(), api.Config(), widgetsCRD(t))
		if took := time.Since(began); !apierrors.IsForbidden(err) || took > 2*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	}, "v1", "v1beta1")
}

func TestTheFilesOfAFolderAreReadInOrderWithoutTheFoldersBelow(t *testing.T) {
	files := fstest.MapFS{"below.yaml/a.yaml": {Data: []byte(config)}}
	names := []string{"a.yaml", "b.yml", "c.json", "d.yaml", "e.yaml", "f.yaml", "g.yaml"}
	for _, name := range names {
		files[name] = &fstest.MapFile{Data: []byte(config)}
	}
	err := crds.InstallFS(t.Context(), &rest.Config{Host: "http://unused.invalid"}, files)
	if err == nil || strings.Contains(err.Error(), "below.yaml") {
		t.Fatalf("error = %v", err)
	}
	text := err.Error()
	for _, name := range names {
		_, rest, ok := strings.Cut(text, name)
		if !ok {
			t.Fatalf("%s is not there, or not in order: %v", name, err)
		}
		text = rest
	}
}
