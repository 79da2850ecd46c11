// SPDX-License-Identifier: Apache-2.0

package apply_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/controller/apply"
)

// live is a Deployment as the API server would return it: with defaults, and what others have added.
func live(edit ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "n", Name: "d", UID: "u", ResourceVersion: "7", Generation: 3,
			Labels:     map[string]string{"app": "web", "team": "shop"},
			Finalizers: []string{"example.com/other", "example.com/ours"},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "ConfigMap", Name: "other", UID: "o1"},
				{APIVersion: "v1", Kind: "ConfigMap", Name: "ours", UID: "o2", Controller: ptr.To(true)},
			},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](2), RevisionHistoryLimit: ptr.To[int32](10),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyAlways,
				Containers: []corev1.Container{{
					Name: "web", Image: "web:1", ImagePullPolicy: corev1.PullIfNotPresent,
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")}},
				}},
			}},
		},
	}
	for _, change := range edit {
		change(d)
	}
	return d
}

func desired(edit ...func(*coreac.ContainerApplyConfiguration)) *appsac.DeploymentApplyConfiguration {
	container := coreac.Container().WithName("web").WithImage("web:1")
	for _, change := range edit {
		change(container)
	}
	return appsac.Deployment("d", "n").WithLabels(map[string]string{"app": "web"}).
		WithSpec(appsac.DeploymentSpec().WithReplicas(2).
			WithTemplate(coreac.PodTemplateSpec().WithSpec(coreac.PodSpec().WithContainers(container))))
}

func TestWhatIsThereDoesNotDifferWhateverElseIs(t *testing.T) {
	requests := func(cpu string) func(*coreac.ContainerApplyConfiguration) {
		return func(c *coreac.ContainerApplyConfiguration) {
			c.WithResources(coreac.ResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}))
		}
	}
	rawRequests := func(cpu string) any {
		container := map[string]any{"resources": map[string]any{"requests": map[string]any{"cpu": cpu}}}
		return map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{container}}}}}
	}
	owner := func(name string) *appsac.DeploymentApplyConfiguration {
		return desired().WithOwnerReferences(metaac.OwnerReference().WithAPIVersion("v1").WithKind("ConfigMap").WithName(name).WithUID("o2").WithController(true))
	}
	for name, c := range map[string]struct {
		desired any
		differs bool
	}{
		"the same":                           {desired(), false},
		"another image":                      {desired(func(c *coreac.ContainerApplyConfiguration) { c.WithImage("web:2") }), true},
		"another label":                      {desired().WithLabels(map[string]string{"app": "api"}), true},
		"one more label":                     {desired().WithLabels(map[string]string{"new": "x"}), true},
		"another UID":                        {desired().WithUID("v"), true},
		"a quantity in another spelling":     {desired(requests("0.5")), false},
		"a quantity without its type":        {rawRequests("0.5"), false},
		"another quantity without its type":  {rawRequests("0.6"), true},
		"another quantity":                   {desired(requests("501m")), true},
		"one more field":                     {desired(func(c *coreac.ContainerApplyConfiguration) { c.WithCommand("run") }), true},
		"an empty value that is left out":    {desired(func(c *coreac.ContainerApplyConfiguration) { c.WithStdin(false).WithWorkingDir("") }), false},
		"an empty value that is a value":     {&appsac.DeploymentApplyConfiguration{Spec: appsac.DeploymentSpec().WithReplicas(0)}, true},
		"an empty value that is none yet":    {desired(func(c *coreac.ContainerApplyConfiguration) { c.WithSecurityContext(coreac.SecurityContext()) }), true},
		"our finalizer among others":         {desired().WithFinalizers("example.com/ours"), false},
		"a finalizer that is not there":      {desired().WithFinalizers("example.com/new"), true},
		"our owner among others":             {owner("ours"), false},
		"our owner under another name":       {owner("renamed"), true},
		"one more container":                 {&appsac.DeploymentApplyConfiguration{Spec: appsac.DeploymentSpec().WithTemplate(coreac.PodTemplateSpec().WithSpec(coreac.PodSpec().WithContainers(coreac.Container().WithName("web"), coreac.Container().WithName("b"))))}, true},
		"an empty list that is not there":    {map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"volumes": []any{}}}}}, false},
		"a field that the type has not":      {map[string]any{"spec": map[string]any{"invented": "x"}}, true},
		"a list where there is a field":      {map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": nil}}}, true},
		"an object that says its kind":       {map[string]any{"apiVersion": "apps/v1", "kind": "Deployment"}, false},
		"the status, which nobody has set":   {appsac.Deployment("d", "n").WithStatus(appsac.DeploymentStatus().WithReplicas(0)), false},
		"the status, which is another":       {appsac.Deployment("d", "n").WithStatus(appsac.DeploymentStatus().WithReplicas(1)), true},
		"an unstructured object of the kind": {&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"replicas": int64(2)}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if differs, err := apply.Differs(live(), c.desired, ""); differs != c.differs || err != nil {
				t.Errorf("differs: %v, %v", differs, err)
			}
		})
	}
}

func TestAContainerOfSomeoneElseDiffers(t *testing.T) {
	sidecar := func(d *appsv1.Deployment) {
		pod := &d.Spec.Template.Spec
		pod.Containers = append(pod.Containers, corev1.Container{Name: "sidecar"})
	}
	if differs, err := apply.Differs(live(sidecar), desired(), ""); !differs || err != nil {
		t.Errorf("differs: %v, %v", differs, err)
	}
}

func TestNoObjectDiffers(t *testing.T) {
	if differs, err := apply.Differs[appsv1.Deployment](nil, desired(), ""); !differs || err != nil {
		t.Errorf("differs: %v, %v", differs, err)
	}
}

func TestAnUnstructuredObjectIsComparedAsItIs(t *testing.T) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live())
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: content}
	if differs, err := apply.Differs(object, desired(), ""); differs || err != nil {
		t.Errorf("the same differs: %v, %v", differs, err)
	}
	if differs, err := apply.Differs(object, desired().WithLabels(map[string]string{"new": "x"}), ""); !differs || err != nil {
		t.Errorf("another differs: %v, %v", differs, err)
	}
	if object.GetKind() != "" || object.GetResourceVersion() != "7" {
		t.Errorf("the comparison changed the object: %v", object)
	}
}

func TestWhatIsNoObjectOfTheKindIsAnError(t *testing.T) {
	for name, wrong := range map[string]any{
		"another type in a field":     map[string]any{"spec": map[string]any{"replicas": "two"}},
		"what cannot be written":      func() {},
		"what is not even an object ": "x",
	} {
		if differs, err := apply.Differs(live(), wrong, ""); differs || err == nil {
			t.Errorf("%s: %v, %v", name, differs, err)
		}
	}
}

// managed are managed fields as an API server writes them.
func managed(manager, subresource string, operation metav1.ManagedFieldsOperationType, fields string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.ManagedFields = append(d.ManagedFields, metav1.ManagedFieldsEntry{
			Manager: manager, Operation: operation, Subresource: subresource, APIVersion: "apps/v1",
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
		})
	}
}

func TestAFieldThatIsAppliedNoLongerDiffersIfTheManagedFieldsAreThere(t *testing.T) {
	const (
		all = `{"f:metadata":{"f:labels":{"f:app":{}},"f:finalizers":{"v:\"example.com/ours\"":{}}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{
			"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:name":{},"f:image":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}`
		more = `{"f:spec":{"f:minReadySeconds":{}}}`
	)
	wants := desired(func(c *coreac.ContainerApplyConfiguration) { c.WithPorts(coreac.ContainerPort().WithContainerPort(80)) }).WithFinalizers("example.com/ours")
	port := func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, Protocol: corev1.ProtocolTCP}}
	}
	for name, c := range map[string]struct {
		live    *appsv1.Deployment
		desired any
		differs bool
	}{
		"no managed fields":                {live(port), wants, false},
		"all is applied still":             {live(port, managed("us", "", "Apply", all)), wants, false},
		"a field is not applied any more":  {live(port, managed("us", "", "Apply", more)), wants, true},
		"a label is not applied any more":  {live(managed("us", "", "Apply", `{"f:metadata":{"f:labels":{"f:team":{}}}}`)), desired(), true},
		"an item is not applied any more":  {live(managed("us", "", "Apply", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"old\"}":{}}}}}}`)), desired(), true},
		"a value is not applied any more":  {live(managed("us", "", "Apply", `{"f:metadata":{"f:finalizers":{"v:\"example.com/old\"":{}}}}`)), desired(), true},
		"a port is not applied any more":   {live(port, managed("us", "", "Apply", all)), desired().WithFinalizers("example.com/ours"), true},
		"a place is not applied any more":  {live(managed("us", "", "Apply", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"i:1":{}}}}}}`)), desired(), true},
		"someone else's field":             {live(managed("them", "", "Apply", more)), desired(), false},
		"a field that was updated":         {live(managed("us", "", "Update", more)), desired(), false},
		"a field of another subresource":   {live(managed("us", "status", "Apply", `{"f:status":{"f:replicas":{}}}`)), desired(), false},
		"a field of the status":            {live(managed("us", "status", "Apply", `{"f:status":{"f:replicas":{}}}`)), appsac.Deployment("d", "n").WithStatus(appsac.DeploymentStatus()), true},
		"a field of the spec, as a status": {live(managed("us", "", "Apply", more)), appsac.Deployment("d", "n").WithStatus(appsac.DeploymentStatus()), false},
	} {
		t.Run(name, func(t *testing.T) {
			if differs, err := apply.Differs(c.live, c.desired, "us"); differs != c.differs || err != nil {
				t.Errorf("differs: %v, %v", differs, err)
			}
		})
	}
}
