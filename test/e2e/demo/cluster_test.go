// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/test/controlplane"
)

// TestAClusterOfTheUsers tells one story on one cluster, which is the user's.
func TestAClusterOfTheUsers(t *testing.T) {
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, plane.Config()); err != nil {
		t.Fatal(err)
	}
	namespaces := kubernetes.NewForConfigOrDie(plane.Config()).CoreV1().Namespaces()
	cluster := "-cluster=" + kubeconfig

	t.Run("a namespace of theirs is left alone, whatever goes wrong", func(t *testing.T) {
		theirs := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: samplesNamespace}}
		if _, err := namespaces.Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		d := start(t, nil, cluster)
		d.wantExit(1)
		d.want(`demo: the Flunder's definition is not installed in this cluster: run with INSTALL=1 to apply`)
		d = start(t, nil, cluster, "-install", "-once")
		d.wantExit(1)
		d.want(`demo: make the namespace lanyard-demo for the samples: it exists and is not the demonstration's: remove it first`)
		d.wantNothingLeft()
		ns, err := namespaces.Get(t.Context(), samplesNamespace, metav1.GetOptions{})
		if err != nil || !ns.DeletionTimestamp.IsZero() {
			t.Fatalf("their namespace has been removed: %v", err)
		}
		if err := namespaces.Delete(t.Context(), samplesNamespace, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	})
	// Installed by now, and their namespace may still be on its way out.
	t.Run("the samples run in it and are removed again", func(t *testing.T) {
		d := start(t, nil, cluster, "-once")
		d.wantExit(0)
		d.want(`(?m)^  front +true +Available `)
		d.want(`(?m)^cluster +removed the namespace lanyard-demo; definitions and permissions stay$`)
		d.wantNothingLeft()
		d.eventually("the namespace is gone", time.Minute, func() bool {
			_, err := namespaces.Get(context.WithoutCancel(t.Context()), samplesNamespace, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
		if _, err := versioned.NewForConfigOrDie(plane.Config()).WardleV1beta1().Flunders("").List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("the definition is gone too: %v", err)
		}
	})
}
