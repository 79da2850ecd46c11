// SPDX-License-Identifier: Apache-2.0

package virtualtest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	appsv1apply "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"

	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// bubble runs a test with an API and a client of it, in virtual time.
func bubble(t *testing.T, f func(*testing.T, *virtualtest.API, kubernetes.Interface)) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t,
			virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "Widget", SelectableFields: []string{".spec.color"}},
			virtualtest.Resource{Group: "example.com", Version: "v1beta1", Kind: "Widget"},
			virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "World", ClusterScoped: true, NoStatus: true})
		f(t, api, kubernetes.NewForConfigOrDie(api.Config()))
	})
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
}

func widgets(version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "example.com", Version: version, Resource: "widgets"}
}

func widget(name, color string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"namespace": "shop", "name": name},
		"spec": map[string]any{"color": color}, "status": map[string]any{"made": true},
	}}
}

func TestACallEndsWithItsContextInItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		defer api.Delay(time.Hour, func(c virtualtest.Call) bool { return c.Writes() })()
		why, began := errors.New("enough"), time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, why)
		defer cancel()
		_, err := client.CoreV1().ConfigMaps("shop").Create(ctx, configMap("a"), metav1.CreateOptions{})
		if !errors.Is(err, why) && !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if api.Exists(configMap("a")) {
			t.Error("the call that ended has made an object")
		}
		if _, err := client.CoreV1().ConfigMaps("shop").List(t.Context(), metav1.ListOptions{}); err != nil || time.Since(began) != time.Minute {
			t.Errorf("a read was delayed, or failed: %v", err)
		}
	})
}

func TestObjectsHaveVersionsThatGrowAndAnOldOneIsAConflict(t *testing.T) {
	bubble(t, func(t *testing.T, _ *virtualtest.API, client kubernetes.Interface) {
		maps := client.CoreV1().ConfigMaps("shop")
		first, err := maps.Create(t.Context(), configMap("a"), metav1.CreateOptions{})
		if err != nil || first.UID == "" || first.ResourceVersion == "" || !first.CreationTimestamp.Time.Equal(time.Now()) || first.Generation != 0 {
			t.Fatalf("%+v, %v", first, err)
		}
		if _, err := maps.Create(t.Context(), configMap("a"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
			t.Errorf("a second one: %v", err)
		}
		changed := first.DeepCopy()
		changed.Data = map[string]string{"k": "v"}
		second, err := maps.Update(t.Context(), changed, metav1.UpdateOptions{})
		if err != nil || second.ResourceVersion == first.ResourceVersion {
			t.Errorf("the version is %s after %s, %v", second.ResourceVersion, first.ResourceVersion, err)
		}
		if _, err := maps.Update(t.Context(), changed, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
			t.Errorf("an update of the first version: %v", err)
		}
		same, err := maps.Update(t.Context(), second, metav1.UpdateOptions{})
		if err != nil || same.ResourceVersion != second.ResourceVersion {
			t.Errorf("an update that changes nothing has the version %s after %s, %v", same.ResourceVersion, second.ResourceVersion, err)
		}
		other := types.UID("other")
		err = maps.Delete(t.Context(), "a", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}})
		if !apierrors.IsConflict(err) {
			t.Errorf("a deletion of another object: %v", err)
		}
		if err := maps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := maps.Get(t.Context(), "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("a read of what is gone: %v", err)
		}
	})
}

func TestTheStatusIsWrittenThroughItsSubresourceOnlyAndTheGenerationCountsTheRest(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, _ kubernetes.Interface) {
		w := widget("a", "red")
		api.Create(w)
		if _, has := w.Object["status"]; has || w.GetGeneration() != 1 {
			t.Errorf("a new object has the status %v and the generation %d", w.Object["status"], w.GetGeneration())
		}
		w.Object["status"] = map[string]any{"made": true}
		w.Object["spec"] = map[string]any{"color": "blue"}
		w.SetLabels(map[string]string{"x": "y"})
		only := w.DeepCopy()
		api.UpdateStatus(only)
		color, _, _ := unstructured.NestedString(only.Object, "spec", "color")
		made, _, _ := unstructured.NestedBool(only.Object, "status", "made")
		if color != "red" || !made || only.GetGeneration() != 1 || len(only.GetLabels()) > 0 {
			t.Errorf("an update of the status made %v", only.Object)
		}
		w.SetResourceVersion(only.GetResourceVersion())
		w.Object["status"] = map[string]any{"made": false}
		api.Update(w)
		made, _, _ = unstructured.NestedBool(w.Object, "status", "made")
		if !made || w.GetGeneration() != 2 {
			t.Errorf("an update made %v", w.Object)
		}
		w.SetLabels(nil)
		if api.Update(w); w.GetGeneration() != 2 {
			t.Errorf("labels changed the generation to %d", w.GetGeneration())
		}
	})
}

func TestAnObjectWithFinalizersStaysUntilTheLastIsRemoved(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		cm := configMap("a")
		cm.Finalizers = []string{"example.com/held"}
		api.Create(cm)
		api.Delete(cm)
		api.Get(cm)
		at := cm.DeletionTimestamp
		if at == nil || !at.Time.Equal(time.Now()) {
			t.Fatalf("the deletion time is %v", at)
		}
		time.Sleep(time.Minute)
		api.Delete(cm)
		if api.Get(cm); !cm.DeletionTimestamp.Equal(at) {
			t.Errorf("a second deletion moved its time to %v", cm.DeletionTimestamp)
		}
		patch := []byte(`{"metadata":{"finalizers":null}}`)
		if _, err := client.CoreV1().ConfigMaps("shop").Patch(t.Context(), "a", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Error(err)
		}
		if api.Exists(cm) {
			t.Error("it is still there")
		}
	})
}

func TestServerSideApplyMergesByItsSchemaAndFieldsHaveManagers(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		apply := func(manager string, force bool, containers ...*corev1apply.ContainerApplyConfiguration) (*appsv1.Deployment, error) {
			return client.AppsV1().Deployments("shop").Apply(t.Context(), appsv1apply.Deployment("web", "shop").WithSpec(
				appsv1apply.DeploymentSpec().WithTemplate(corev1apply.PodTemplateSpec().WithSpec(
					corev1apply.PodSpec().WithContainers(containers...)))), metav1.ApplyOptions{FieldManager: manager, Force: force})
		}
		container := func(name, image string) *corev1apply.ContainerApplyConfiguration {
			return corev1apply.Container().WithName(name).WithImage(image)
		}
		if _, err := apply("one", false, container("app", "a:1"), container("old", "o:1")); err != nil {
			t.Fatal(err)
		}
		if _, err := apply("two", false, container("app", "a:2")); !apierrors.IsConflict(err) {
			t.Errorf("another manager applies the same field: %v", err)
		}
		if _, err := apply("two", true, container("app", "a:2"), container("side", "s:1")); err != nil {
			t.Errorf("by force: %v", err)
		}
		d, err := apply("one", false)
		if err != nil {
			t.Fatal(err)
		}
		var images []string
		for _, c := range d.Spec.Template.Spec.Containers {
			images = append(images, c.Name+"="+c.Image)
		}
		if want := []string{"app=a:2", "side=s:1"}; !slices.Equal(images, want) {
			t.Errorf("after the first manager applies none, there are %q, want %q", images, want)
		}
		same, err := apply("one", false)
		if err != nil || same.ResourceVersion != d.ResourceVersion || d.Generation != 3 {
			t.Errorf("the same again: the version %s after %s, the generation %d, %v", same.ResourceVersion, d.ResourceVersion, d.Generation, err)
		}
		api.Get(d)
		d.Status.Replicas = 1
		api.UpdateStatus(d)
	})
}

func TestPatchesAndDryRuns(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		cm := configMap("a")
		cm.Data = map[string]string{"a": "1", "b": "1"}
		api.Create(cm)
		maps := client.CoreV1().ConfigMaps("shop")
		for kind, patch := range map[types.PatchType]string{
			types.JSONPatchType:           `[{"op":"test","path":"/data/a","value":"1"},{"op":"replace","path":"/data/b","value":"2"}]`,
			types.MergePatchType:          `{"data":{"b":"2"}}`,
			types.StrategicMergePatchType: `{"data":{"b":"2"}}`,
		} {
			got, err := maps.Patch(t.Context(), "a", kind, []byte(patch), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
			if err != nil || got.Data["a"] != "1" || got.Data["b"] != "2" {
				t.Errorf("%s: %v, %v", kind, got, err)
			}
		}
		if api.Get(cm); cm.Data["b"] != "1" {
			t.Error("a dry run has changed it")
		}
		if err := maps.Delete(t.Context(), "a", metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}); err != nil || !api.Exists(cm) {
			t.Errorf("a dry run has deleted it, or failed: %v", err)
		}
		stale := []byte(`{"metadata":{"resourceVersion":"1"},"data":{"b":"3"}}`)
		if _, err := maps.Patch(t.Context(), "a", types.MergePatchType, stale, metav1.PatchOptions{}); !apierrors.IsConflict(err) {
			t.Errorf("a patch of an old version: %v", err)
		}
		dynamics := dynamic.NewForConfigOrDie(api.Config()).Resource(widgets("v1")).Namespace("shop")
		api.Create(widget("w", "red"))
		_, err := dynamics.Patch(t.Context(), "w", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
		if !apierrors.IsUnsupportedMediaType(err) {
			t.Errorf("a strategic merge patch of a custom resource: %v", err)
		}
	})
}

func TestACallFailsBeforeOrAfterItIsDone(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		maps, broken := client.CoreV1().ConfigMaps("shop"), errors.New("connection reset")
		remove := api.Before(func(context.Context, virtualtest.Call) error {
			return apierrors.NewInternalError(errors.New("no leader"))
		})
		if _, err := maps.Create(t.Context(), configMap("a"), metav1.CreateOptions{}); !apierrors.IsInternalError(err) || api.Exists(configMap("a")) {
			t.Errorf("it was done, or the error is %v", err)
		}
		remove()
		remove = api.After(func(_ context.Context, c virtualtest.Call) error {
			if c.String() == "create configmaps shop" {
				return broken
			}
			return nil
		})
		if _, err := maps.Create(t.Context(), configMap("a"), metav1.CreateOptions{}); !errors.Is(err, broken) || !api.Exists(configMap("a")) {
			t.Errorf("it was not done, or the error is %v", err)
		}
		remove()
		if _, err := maps.Create(t.Context(), configMap("b"), metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
		if calls := api.Calls(); len(calls) != 3 || calls[0].String() != "create configmaps shop" || !calls[0].Writes() {
			t.Errorf("the calls were %v", calls)
		}
	})
}

func TestWhatIsNotServedIsNotFound(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		api.Create(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}})
		dynamics := dynamic.NewForConfigOrDie(api.Config())
		_, unknown := dynamics.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "gadgets"}).List(t.Context(), metav1.ListOptions{})
		_, version := dynamics.Resource(widgets("v2")).Namespace("shop").List(t.Context(), metav1.ListOptions{})
		_, scale := client.AppsV1().Deployments("shop").GetScale(t.Context(), "web", metav1.GetOptions{})
		_, fields := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.color=red"})
		if !apierrors.IsNotFound(unknown) || !apierrors.IsNotFound(version) || !apierrors.IsNotFound(scale) || !apierrors.IsBadRequest(fields) {
			t.Errorf("errors:\n%v\n%v\n%v\n%v", unknown, version, scale, fields)
		}
		request := client.CoreV1().RESTClient().Post().Namespace("shop").Resource("configmaps").SetHeader("Content-Type", "application/vnd.kubernetes.protobuf").Body([]byte("k8s\x00"))
		var status apierrors.APIStatus
		if err := request.Do(t.Context()).Error(); !errors.As(err, &status) || status.Status().Code != http.StatusUnsupportedMediaType {
			t.Errorf("protobuf: %v", err)
		}
	})
}

func TestDiscoveryVersionsAndMetadata(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, _ kubernetes.Interface) {
		groups, err := restmapper.GetAPIGroupResources(discovery.NewDiscoveryClientForConfigOrDie(api.Config()))
		if err != nil {
			t.Fatal(err)
		}
		mapping, err := restmapper.NewDiscoveryRESTMapper(groups).RESTMapping(schema.GroupKind{Group: "example.com", Kind: "Widget"})
		if err != nil || mapping.Resource != widgets("v1") || mapping.Scope.Name() != "namespace" {
			t.Errorf("%+v, %v", mapping, err)
		}
		world := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "World", "metadata": map[string]any{"name": "w"}, "status": "kept"}}
		if api.Create(world); world.Object["status"] != "kept" {
			t.Error("a kind without a status subresource lost its status")
		}
		api.Create(widget("a", "red"))
		other, err := dynamic.NewForConfigOrDie(api.Config()).Resource(widgets("v1beta1")).Namespace("shop").Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil || other.GetAPIVersion() != "example.com/v1beta1" {
			t.Errorf("in another version: %v, %v", other, err)
		}
		client, err := metadata.NewForConfig(api.Config())
		if err != nil {
			t.Fatal(err)
		}
		list, err := client.Resource(widgets("v1")).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Name != "a" || list.ResourceVersion == "" {
			t.Errorf("metadata: %+v, %v", list, err)
		}
	})
}

func TestGarbageIsCollectedIfAsked(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		api.CollectGarbage()
		maps := client.CoreV1().ConfigMaps("shop")
		family := func(name string) (owner, dependent, grandchild *corev1.ConfigMap) {
			owner, dependent, grandchild = configMap(name), configMap(name+"-owned"), configMap(name+"-grandchild")
			own := func(child, parent *corev1.ConfigMap) {
				blocks := true
				child.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: parent.Name, UID: parent.UID, BlockOwnerDeletion: &blocks}}
				api.Create(child)
			}
			api.Create(owner)
			own(dependent, owner)
			own(grandchild, dependent)
			return owner, dependent, grandchild
		}
		for policy, gone := range map[metav1.DeletionPropagation]bool{
			metav1.DeletePropagationBackground: true, metav1.DeletePropagationForeground: true, metav1.DeletePropagationOrphan: false,
		} {
			owner, dependent, grandchild := family("of-" + string(policy[0]+32))
			if err := maps.Delete(t.Context(), owner.Name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
				t.Error(err)
			}
			if api.Exists(owner) || api.Exists(dependent) == gone || api.Exists(grandchild) == gone {
				t.Errorf("%s: the owner is there: %t, what it owns: %t, %t", policy, api.Exists(owner), api.Exists(dependent), api.Exists(grandchild))
			}
			if !gone {
				if api.Get(dependent); len(dependent.OwnerReferences) > 0 {
					t.Errorf("an orphan has %v", dependent.OwnerReferences)
				}
			}
		}
		_, held, grandchild := family("held")
		held.Finalizers = []string{"example.com/held"}
		api.Update(held)
		foreground := metav1.DeletePropagationForeground
		if err := maps.Delete(t.Context(), "held", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
			t.Error(err)
		}
		if !api.Exists(configMap("held")) || !api.Exists(held) || !api.Exists(grandchild) {
			t.Error("the owner did not wait for what it owns")
		}
		api.Get(held)
		held.Finalizers = nil
		if api.Update(held); api.Exists(configMap("held")) || api.Exists(held) || api.Exists(grandchild) {
			t.Error("they stay")
		}
	})
}

// TestAFieldOfAnotherTypeIsRefused at an update, and nothing is changed.
func TestAFieldOfAnotherTypeIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, api *virtualtest.API, client kubernetes.Interface) {
		maps := client.CoreV1().ConfigMaps("shop")
		before, err := maps.Create(t.Context(), configMap("a"), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = maps.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"data":["no map"]}`), metav1.PatchOptions{})
		if !apierrors.IsInvalid(err) {
			t.Errorf("the patch returned %v", err)
		}
		after, err := maps.Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil || after.ResourceVersion != before.ResourceVersion {
			t.Errorf("then it is at version %s, %v; it was at %s", after.ResourceVersion, err, before.ResourceVersion)
		}
	})
}
