// SPDX-License-Identifier: Apache-2.0

// Package apitranscript asks an API a series of questions, and notes its answers: the API in memory is to answer as a
// real one does.
package apitranscript

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	appsv1apply "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	metav1apply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

//go:embed answers.txt
var answers embed.FS

// Answers are those of a real API server. A test in test/e2e/kits asks one.
func Answers() ([]string, error) {
	text, err := answers.ReadFile("answers.txt")
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// transcript is what an API answered, as far as it is the same for each API that is right.
type transcript struct {
	lines    []string
	versions map[string]int // in the order in which they were seen
}

func (r *transcript) note(what string, o metav1.Object, err error) {
	line := what + ": "
	if err != nil {
		line += string(apierrors.ReasonForError(err))
		if status := apierrors.APIStatus(nil); errors.As(err, &status) {
			line += fmt.Sprintf(" (%d)", status.Status().Code)
		}
	} else if o != nil {
		if _, seen := r.versions[o.GetResourceVersion()]; !seen {
			r.versions[o.GetResourceVersion()] = len(r.versions)
		}
		var managers []string
		for _, m := range o.GetManagedFields() {
			if len(o.GetFinalizers()) > 0 || o.GetDeletionTimestamp() != nil {
				break // a list that only a schema can take apart: in memory, this kind has none
			}
			managers = append(managers, fmt.Sprintf("%s %s %s %s", m.Manager, m.Operation, m.Subresource, m.FieldsV1.GetRawString()))
		}
		slices.Sort(managers) // the API has them in the order of their time, which counts seconds
		line += fmt.Sprintf("version %d, generation %d, deleted %t, finalizers %q, labels %v, managed by %q",
			r.versions[o.GetResourceVersion()], o.GetGeneration(), o.GetDeletionTimestamp() != nil, o.GetFinalizers(), o.GetLabels(), managers)
	}
	if u, ok := o.(*unstructured.Unstructured); ok && err == nil {
		line += fmt.Sprintf(", spec %v, status %v", u.Object["spec"], u.Object["status"])
		if from := u.GetGenerateName(); from != "" {
			line += ", generated from " + from
		}
	}
	r.lines = append(r.lines, line)
}

// Play asks an API that has no objects, and that serves Gadgets (example.com/v1) without a schema, with a status. It
// returns a line for each answer, with what is the same in each API that is right.
func Play(ctx context.Context, config *rest.Config) []string {
	r := &transcript{versions: map[string]int{}}
	config = rest.CopyConfig(config)
	config.UserAgent = "player/1"
	playGadgets(ctx, r, dynamic.NewForConfigOrDie(config).Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "gadgets"}).Namespace("default"))
	playBuiltIns(ctx, r, kubernetes.NewForConfigOrDie(config))
	return r.lines
}

func gadget(name string, fields ...any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"color": "red", "list": []any{"a"}}}}
	o.SetAPIVersion("example.com/v1")
	o.SetKind("Gadget")
	o.SetName(name)
	for i := 0; i < len(fields); i += 2 {
		o.Object[fields[i].(string)] = fields[i+1]
	}
	return o
}

func playGadgets(ctx context.Context, r *transcript, gadgets dynamic.ResourceInterface) {
	o, err := gadgets.Create(ctx, gadget("a", "status", map[string]any{"made": true}), metav1.CreateOptions{})
	r.note("create", o, err)
	_, err = gadgets.Create(ctx, gadget("a"), metav1.CreateOptions{})
	r.note("create again", nil, err)
	_, err = gadgets.Create(ctx, gadget(""), metav1.CreateOptions{})
	r.note("create without a name", nil, err)
	_, err = gadgets.Get(ctx, "b", metav1.GetOptions{})
	r.note("get what is not there", nil, err)
	_, err = gadgets.Update(ctx, gadget("a"), metav1.UpdateOptions{})
	r.note("update without a version", nil, err)
	_, err = gadgets.Update(ctx, gadget("b"), metav1.UpdateOptions{})
	r.note("update what is not there", nil, err)
	stale := o.DeepCopy()
	o.Object["status"] = map[string]any{"made": true}
	o.Object["spec"] = map[string]any{"color": "blue"}
	o.SetLabels(map[string]string{"x": "y"})
	o, err = gadgets.UpdateStatus(ctx, o, metav1.UpdateOptions{})
	r.note("update the status", o, err)
	_, err = gadgets.Update(ctx, stale, metav1.UpdateOptions{})
	r.note("update an old version", nil, err)
	same, err := gadgets.Update(ctx, o, metav1.UpdateOptions{})
	r.note("update nothing", same, err)
	o.SetGenerateName("other-")
	o, err = gadgets.Update(ctx, o, metav1.UpdateOptions{})
	r.note("update the name that names are generated from", o, err)
	o, err = gadgets.Patch(ctx, "a", types.MergePatchType, []byte(`{"spec":{"color":"green"},"status":null}`), metav1.PatchOptions{})
	r.note("merge patch", o, err)
	o, err = gadgets.Patch(ctx, "a", types.JSONPatchType, []byte(`[{"op":"add","path":"/status/more","value":1}]`), metav1.PatchOptions{}, "status")
	r.note("JSON patch of the status", o, err)
	_, err = gadgets.Patch(ctx, "a", types.JSONPatchType, []byte(`[{"op":"test","path":"/spec/color","value":"black"}]`), metav1.PatchOptions{})
	r.note("JSON patch whose test fails", nil, err)
	_, err = gadgets.Patch(ctx, "a", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
	r.note("strategic merge patch", nil, err)
	_, err = gadgets.Patch(ctx, "b", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	r.note("patch what is not there", nil, err)
	playApply(ctx, r, gadgets)
	o, err = gadgets.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"finalizers":["example.com/held"]}}`), metav1.PatchOptions{})
	r.note("add a finalizer", o, err)
	other := types.UID("other")
	err = gadgets.Delete(ctx, "a", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}})
	r.note("delete another", nil, err)
	err = gadgets.Delete(ctx, "a", metav1.DeleteOptions{})
	r.note("delete", nil, err)
	o, err = gadgets.Get(ctx, "a", metav1.GetOptions{})
	r.note("get what is being deleted", o, err)
	o, err = gadgets.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	r.note("remove the finalizer", o, err)
	_, err = gadgets.Get(ctx, "a", metav1.GetOptions{})
	r.note("get what is gone", nil, err)
	_, err = gadgets.List(ctx, metav1.ListOptions{FieldSelector: "spec.color=red"})
	r.note("list by a field", nil, err)
	playRefused(ctx, r, gadgets)
	playDeletions(ctx, r, gadgets)
}

// playRefused asks for what no API does.
func playRefused(ctx context.Context, r *transcript, gadgets dynamic.ResourceInterface) {
	versioned := gadget("c")
	versioned.SetResourceVersion("1")
	_, err := gadgets.Create(ctx, versioned, metav1.CreateOptions{})
	r.note("create with a version", nil, err)
	_, err = gadgets.UpdateStatus(ctx, gadget("c"), metav1.UpdateOptions{})
	r.note("update the status of what is not there", nil, err)
	o, err := gadgets.Create(ctx, gadget("c"), metav1.CreateOptions{})
	r.note("create another", o, err)
	_, err = gadgets.Patch(ctx, "c", types.MergePatchType, []byte(`{`), metav1.PatchOptions{})
	r.note("a patch that is no JSON", nil, err)
	_, err = gadgets.Patch(ctx, "c", types.JSONPatchType, []byte(`{}`), metav1.PatchOptions{})
	r.note("a JSON patch that is none", nil, err)
	_, err = gadgets.Patch(ctx, "c", types.MergePatchType, []byte(`{"metadata":{"resourceVersion":"1"}}`), metav1.PatchOptions{})
	r.note("patch an old version", nil, err)
	_, err = gadgets.Patch(ctx, "c", types.ApplyPatchType, []byte(`{`), metav1.PatchOptions{FieldManager: "one"})
	r.note("an apply that is no YAML", nil, err)
	_, err = gadgets.Patch(ctx, "c", types.ApplyPatchType, []byte(`{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"c"}}`), metav1.PatchOptions{})
	r.note("an apply of nobody", nil, err)
	_, err = gadgets.List(ctx, metav1.ListOptions{LabelSelector: "a in"})
	r.note("list by a selector that is none", nil, err)
	_, err = gadgets.Update(ctx, o.DeepCopy(), metav1.UpdateOptions{}, "nothing")
	r.note("update a subresource that is not there", nil, err)
}

// playDeletions deletes in each way.
func playDeletions(ctx context.Context, r *transcript, gadgets dynamic.ResourceInterface) {
	dry := []string{metav1.DryRunAll}
	_, err := gadgets.Create(ctx, gadget("d"), metav1.CreateOptions{DryRun: dry})
	r.note("a dry create", nil, err)
	_, err = gadgets.Get(ctx, "d", metav1.GetOptions{})
	r.note("get what was created dry", nil, err)
	err = gadgets.Delete(ctx, "c", metav1.DeleteOptions{DryRun: dry})
	r.note("a dry delete", nil, err)
	o, err := gadgets.Get(ctx, "c", metav1.GetOptions{})
	r.note("get what was deleted dry", o, err)
	orphan, foreground := metav1.DeletePropagationOrphan, metav1.DeletePropagationForeground
	err = gadgets.Delete(ctx, "c", metav1.DeleteOptions{PropagationPolicy: &orphan})
	r.note("delete, and orphan", nil, err)
	o, err = gadgets.Get(ctx, "c", metav1.GetOptions{})
	r.note("get what is deleted, and orphans", o, err)
	err = gadgets.Delete(ctx, "c", metav1.DeleteOptions{})
	r.note("delete what is being deleted", nil, err)
	o, err = gadgets.Create(ctx, gadget("e"), metav1.CreateOptions{})
	r.note("create one more", o, err)
	err = gadgets.Delete(ctx, "e", metav1.DeleteOptions{PropagationPolicy: &foreground})
	r.note("delete in the foreground", nil, err)
	o, err = gadgets.Get(ctx, "e", metav1.GetOptions{})
	r.note("get what is deleted in the foreground", o, err)
	err = gadgets.Delete(ctx, "f", metav1.DeleteOptions{})
	r.note("delete what is not there", nil, err)
	all := metav1.ListOptions{}
	err = gadgets.DeleteCollection(ctx, metav1.DeleteOptions{DryRun: dry}, all)
	r.note("a dry delete of all", nil, err)
	for _, name := range []string{"c", "e"} {
		o, err = gadgets.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		r.note("the finalizers of "+name+" are done", o, err)
	}
	err = gadgets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a in"})
	r.note("delete by a selector that is none", nil, err)
}

func playApply(ctx context.Context, r *transcript, gadgets dynamic.ResourceInterface) {
	one, two := metav1.ApplyOptions{FieldManager: "one"}, metav1.ApplyOptions{FieldManager: "two"}
	o, err := gadgets.Apply(ctx, "a", gadget("a", "spec", map[string]any{"size": "big", "list": []any{"x", "y"}}), one)
	r.note("apply", o, err)
	_, err = gadgets.Apply(ctx, "a", gadget("a", "spec", map[string]any{"size": "small"}), two)
	r.note("apply the field of another", nil, err)
	two.Force = true
	o, err = gadgets.Apply(ctx, "a", gadget("a", "spec", map[string]any{"size": "small"}), two)
	r.note("apply by force", o, err)
	o, err = gadgets.Apply(ctx, "a", gadget("a", "spec", map[string]any{"list": []any{"x", "y"}}), one)
	r.note("apply less", o, err)
	same, err := gadgets.Apply(ctx, "a", gadget("a", "spec", map[string]any{"list": []any{"x", "y"}}), one)
	r.note("apply nothing new", same, err)
	o, err = gadgets.ApplyStatus(ctx, "a", gadget("a", "status", map[string]any{"applied": true}), one)
	r.note("apply the status", o, err)
	o, err = gadgets.Apply(ctx, "new", gadget("new", "status", map[string]any{"applied": true}), one)
	r.note("apply a new one", o, err)
	err = gadgets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=new"})
	r.note("delete the selected", nil, err)
	_, err = gadgets.Get(ctx, "new", metav1.GetOptions{})
	r.note("get one of them", nil, err)
}

func playBuiltIns(ctx context.Context, r *transcript, client kubernetes.Interface) {
	maps := client.CoreV1().ConfigMaps("default")
	cm, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "m"}, Data: map[string]string{"a": "1"}}, metav1.CreateOptions{})
	r.note("create a ConfigMap", cm, err)
	cm.ResourceVersion, cm.Data["a"] = "", "2"
	cm, err = maps.Update(ctx, cm, metav1.UpdateOptions{})
	r.note("update a ConfigMap without a version", cm, err)
	cm, err = maps.Patch(ctx, "m", types.StrategicMergePatchType, []byte(`{"data":{"b":"1","a":null}}`), metav1.PatchOptions{})
	r.note("strategic merge patch of a ConfigMap", cm, err)
	_, err = maps.Patch(ctx, "m", types.MergePatchType, []byte(`{"data":["no map"]}`), metav1.PatchOptions{})
	r.note("a patch with a value of another type", nil, err)
	err = client.CoreV1().RESTClient().Put().Namespace("default").Resource("configmaps").Name("m").SetHeader("Content-Type", "application/json").
		Body([]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":["no map"]}`)).Do(ctx).Error()
	r.note("an update with a value of another type", nil, err)
	err = maps.Delete(ctx, "m", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: new("1")}})
	r.note("delete another version", nil, err)
	deployments := client.AppsV1().Deployments("default")
	apply := func(replicas int32, containers ...string) {
		spec := corev1apply.PodSpec()
		for _, name := range containers {
			spec.WithContainers(corev1apply.Container().WithName(name).WithImage(name + ":1"))
		}
		labels := map[string]string{"app": "d"}
		d, err := deployments.Apply(ctx, appsv1apply.Deployment("d", "default").WithSpec(appsv1apply.DeploymentSpec().WithReplicas(replicas).
			WithSelector(metav1apply.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(corev1apply.PodTemplateSpec().WithLabels(labels).WithSpec(spec))), metav1.ApplyOptions{FieldManager: "one"})
		r.note("apply a Deployment", d, err)
		if err == nil {
			r.lines = append(r.lines, fmt.Sprint(len(d.Spec.Template.Spec.Containers), " containers"))
		}
	}
	apply(1, "a", "b")
	apply(1, "a", "b")
	apply(2, "b")
	_, err = deployments.Patch(ctx, "d", types.StrategicMergePatchType,
		// With all that a real one would add: there are no defaults in memory.
		[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s:1","resources":{},
			"imagePullPolicy":"IfNotPresent","terminationMessagePath":"/dev/x","terminationMessagePolicy":"File"}]}}}}`), metav1.PatchOptions{FieldManager: "two"})
	r.note("add a container", nil, err)
	apply(3, "b")
}
