// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/cluster"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/kustomize"
	"github.com/lanyard-k8s/lanyard/test/e2e/internal/repo"
)

const (
	samplesNamespace = "lanyard-demo"
	systemNamespace  = "lanyard-system"
	account          = "flunder-controller"

	// The label of the samples' namespace that tells it from one of the user's with that name.
	madeBy, demonstration = "app.kubernetes.io/managed-by", "lanyard-demo"
)

// podNames names pods that the controller's processes pass for: they are there, but gated, so that no node runs them.
func podNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("flunder-controller-demo-%c", 'a'+i))
	}
	return names
}

// stage is the cluster that the demonstration plays in.
type stage struct {
	admin      *rest.Config
	plane      *controlplane.ControlPlane // nil on a cluster of the user's
	root       string                     // of the repository
	dir        string                     // for kubeconfigs, the binary and logs
	kubeconfig string                     // what to give to kubectl
	prepared   bool                       // the samples' namespace is there, and the demonstration's
	pods       []string
	shards     bool // all replicas work
}

func setStage(ctx context.Context, s settings) (*stage, error) {
	root, err := repo.Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lanyard-demo-")
	if err != nil {
		return nil, err
	}
	st := &stage{root: root, dir: dir, pods: podNames(cmp.Or(s.replicas, 2)), shards: s.replicas > 0}
	if s.cluster != "" {
		err = st.useCluster(ctx, s)
	} else {
		err = st.startPlane(ctx)
	}
	if err == nil {
		err = st.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.strike(ctx))
	}
	return st, nil
}

func (st *stage) startPlane(ctx context.Context) (err error) {
	began := time.Now()
	if st.plane, err = controlplane.Start(ctx, controlplane.Options{Nodes: 1}); err != nil {
		return err
	}
	st.admin, st.kubeconfig = st.plane.Config(), filepath.Join(st.dir, "kubeconfig")
	if err := controlplane.WriteKubeconfig(st.kubeconfig, st.admin); err != nil {
		return err
	}
	say("control plane", "Kubernetes %s with one simulated node, up in %v", st.plane.Version(), round(time.Since(began)))
	return st.install(ctx)
}

// useCluster takes only the kubeconfig that was named: one that happens to be in the environment is not
// looked at.
func (st *stage) useCluster(ctx context.Context, s settings) (err error) {
	st.kubeconfig = s.cluster
	if st.admin, err = clientcmd.BuildConfigFromFlags("", s.cluster); err != nil {
		return fmt.Errorf("read the kubeconfig %s: %w", s.cluster, err)
	}
	st.admin.QPS = -1
	say("cluster", "%s, from %s", st.admin.Host, s.cluster)
	if s.install {
		return st.install(ctx)
	}
	return st.installed(ctx)
}

func (st *stage) install(ctx context.Context) error {
	config := filepath.Join(st.root, "config", "default")
	if st.shards {
		config = filepath.Join(st.root, "test", "e2e", "demo", "shards")
	}
	objects, err := kustomize.Build(config)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Deployment" })
	if err := cluster.Apply(ctx, st.admin, samplesNamespace, objects); err != nil {
		return err
	}
	if st.shards {
		say("installed", "the CRD and the permissions, with config/shards; in its Deployment's place %d processes run here", len(st.pods))
		return nil
	}
	say("installed", "config/default, with the fence; in its Deployment's place two processes run here")
	return nil
}

// installed looks for what INSTALL=1 would have applied.
func (st *stage) installed(ctx context.Context) error {
	const what = "is not installed in this cluster: run with INSTALL=1 to apply config/default to it, without the Deployment"
	wardle, err := versioned.NewForConfig(st.admin)
	if err != nil {
		return err
	}
	if _, err := wardle.WardleV1beta1().Flunders(samplesNamespace).List(ctx, metav1.ListOptions{Limit: 1}); apierrors.IsNotFound(err) {
		return fmt.Errorf("the Flunder's definition %s", what)
	} else if err != nil {
		return fmt.Errorf("list Flunders: %w", err)
	}
	kube, err := kubernetes.NewForConfig(st.admin)
	if err != nil {
		return err
	}
	_, err = kube.CoreV1().ServiceAccounts(systemNamespace).Get(ctx, account, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the controller's service account %s", what)
	}
	return err
}

// prepare makes the namespace of the samples. One that a run which was killed has left is used again, one
// that is being removed is waited for, and one of the user's is left alone.
func (st *stage) prepare(ctx context.Context) error {
	kube, err := kubernetes.NewForConfig(st.admin)
	if err != nil {
		return err
	}
	namespaces := kube.CoreV1().Namespaces()
	mine := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: samplesNamespace, Labels: map[string]string{madeBy: demonstration}}}
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := namespaces.Create(ctx, mine, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			return true, err
		}
		there, err := namespaces.Get(ctx, samplesNamespace, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return false, nil
		case err != nil:
			return false, err
		case !there.DeletionTimestamp.IsZero():
			return false, nil
		case there.Labels[madeBy] != demonstration:
			return false, errors.New("it exists and is not the demonstration's: remove it first")
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("make the namespace %s for the samples: %w", samplesNamespace, err)
	}
	st.prepared = true
	return st.preparePods(ctx, kube)
}

// preparePods makes the pods to which the controller's tokens are bound.
func (st *stage) preparePods(ctx context.Context, kube kubernetes.Interface) error {
	for _, name := range st.pods {
		_, err := kube.CoreV1().Pods(systemNamespace).Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{madeBy: demonstration}},
			Spec: corev1.PodSpec{
				ServiceAccountName: account,
				SchedulingGates:    []corev1.PodSchedulingGate{{Name: demonstration}},
				SecurityContext: &corev1.PodSecurityContext{
					RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
				Containers: []corev1.Container{{Name: "manager", Image: account, SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				}}},
			},
		}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) { // a run that was killed has left it
			return fmt.Errorf("make the pod %s: %w", name, err)
		}
	}
	return nil
}

func (st *stage) applySamples(ctx context.Context) error {
	say("samples", "config/samples, into the namespace %s", samplesNamespace)
	return cluster.ApplyConfig(ctx, st.admin, st.root, samplesNamespace, "samples")
}

// strike takes down what the demonstration has put up. It works although ctx has ended.
func (st *stage) strike(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var err error
	if st.plane != nil {
		began := time.Now()
		if err = st.plane.Stop(ctx); err == nil {
			say("control plane", "stopped in %v", round(time.Since(began)))
		}
	} else if st.prepared {
		err = st.removeSamples(ctx)
	}
	return errors.Join(err, os.RemoveAll(st.dir))
}

func (st *stage) removeSamples(ctx context.Context) error {
	kube, err := kubernetes.NewForConfig(st.admin)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range st.pods {
		if err := kube.CoreV1().Pods(systemNamespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("remove the pod %s: %w", name, err))
		}
	}
	err = kube.CoreV1().Namespaces().Delete(ctx, samplesNamespace, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		errs = append(errs, fmt.Errorf("remove the namespace %s: %w", samplesNamespace, err))
	}
	if len(errs) == 0 {
		say("cluster", "removed the namespace %s; definitions and permissions stay", samplesNamespace)
	}
	return errors.Join(errs...)
}
