// SPDX-License-Identifier: Apache-2.0

package soak_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
)

// restLimit is how long all may take to come to rest: Leases that somebody has edited are left alone for their
// duration, and pods of the simulated node take some seconds.
const restLimit = 2 * time.Minute

// quiet is for how long nothing may change at rest.
const quiet = 2 * time.Second

// rest ends all disturbances, waits until all is as it has to be, and that nothing changes any more.
func (s *soak) rest(ctx context.Context) {
	s.t.Helper()
	for _, rule := range s.rules {
		rule.Remove()
	}
	s.rules = nil
	began := time.Now()
	for {
		before, err := s.state(ctx)
		if err == nil {
			err = before.wrong()
		}
		if err == nil {
			err = s.isQuiet(ctx, before)
		}
		if err == nil {
			break
		}
		if time.Since(began) > restLimit {
			s.t.Fatalf("it does not come to rest within %v: %v", restLimit, err)
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return
		}
	}
	for _, r := range s.replicas {
		if err := r.check(); err != nil {
			s.t.Error(err)
		}
	}
	s.rests++
	var memory []string
	for _, r := range s.replicas {
		memory = append(memory, fmt.Sprintf("%d MB", r.memory()))
	}
	s.t.Logf("at rest after %v; %d disturbances so far; memory: %s", time.Since(began).Round(10*time.Millisecond), s.done, strings.Join(memory, ", "))
}

// isQuiet returns an error if something changes.
func (s *soak) isQuiet(ctx context.Context, before *state) error {
	if err := pause(ctx, quiet); err != nil {
		return err
	}
	after, err := s.state(ctx)
	if err != nil {
		return err
	}
	for name, version := range after.versions {
		if before.versions[name] != version {
			return fmt.Errorf("%s was written, although nothing was asked for", name)
		}
	}
	return after.wrong()
}

// state is all that matters.
type state struct {
	flunders    map[string]*v1beta1.Flunder
	deployments map[string]*appsv1.Deployment
	versions    map[string]string
	slots       map[string]int // by their holders
	replicas    []string
}

func (s *soak) state(ctx context.Context) (*state, error) {
	st := &state{flunders: map[string]*v1beta1.Flunder{}, deployments: map[string]*appsv1.Deployment{}, versions: map[string]string{}, slots: map[string]int{}}
	flunders, err := s.wardle.WardleV1beta1().Flunders("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range flunders.Items {
		f := &flunders.Items[i]
		st.flunders[f.Namespace+"/"+f.Name] = f
		st.versions["the Flunder "+f.Namespace+"/"+f.Name] = f.ResourceVersion
	}
	deployments, err := s.kube.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		st.deployments[d.Namespace+"/"+d.Name] = d
		st.versions["the Deployment "+d.Namespace+"/"+d.Name] = d.ResourceVersion
	}
	leases, err := s.kube.CoordinationV1().Leases("default").List(ctx, metav1.ListOptions{LabelSelector: "lanyard-k8s.github.io/sharding-kind=slot"})
	if err != nil {
		return nil, err
	}
	for i := range leases.Items {
		st.slots[ptr.Deref(leases.Items[i].Spec.HolderIdentity, "")]++
	}
	for _, r := range s.replicas {
		st.replicas = append(st.replicas, r.identity)
	}
	return st, nil
}

// wrong returns what is not as it has to be.
func (st *state) wrong() error {
	var errs []error
	for name, f := range st.flunders {
		if err := st.wrongFlunder(f); err != nil {
			errs = append(errs, fmt.Errorf("the Flunder %s %w", name, err))
		}
	}
	for name, d := range st.deployments {
		owner := metav1.GetControllerOf(d)
		if owner == nil || st.flunders[d.Namespace+"/"+owner.Name] == nil || st.flunders[d.Namespace+"/"+owner.Name].UID != owner.UID {
			errs = append(errs, fmt.Errorf("the Deployment %s has no owner any more: %v", name, owner))
		}
	}
	slots := 0
	for holder, n := range st.slots {
		slots += n
		if !slices.Contains(st.replicas, holder) {
			errs = append(errs, fmt.Errorf("%d slots are held by %q", n, holder))
		}
	}
	if slots != 16 || len(st.slots) != len(st.replicas) {
		errs = append(errs, fmt.Errorf("the slots are divided so: %v", st.slots))
	}
	return errors.Join(errs...)
}

func (st *state) wrongFlunder(f *v1beta1.Flunder) error {
	ready := meta.FindStatusCondition(f.Status.Conditions, v1beta1.ConditionReady)
	want := st.verdict(f)
	switch {
	case ready == nil:
		return errors.New("has no verdict")
	case f.Status.ObservedGeneration != f.Generation:
		return fmt.Errorf("has a verdict on generation %d, and is at %d", f.Status.ObservedGeneration, f.Generation)
	case ready.Reason != want:
		return fmt.Errorf("is %s, and has to be %s: %s", ready.Reason, want, ready.Message)
	case want != v1beta1.ReasonAvailable:
		return nil
	}
	d := st.deployments[f.Namespace+"/"+f.Name]
	switch {
	case d == nil || !metav1.IsControlledBy(d, f):
		return errors.New("has no Deployment")
	case ptr.Deref(d.Spec.Replicas, 1) != ptr.Deref(f.Spec.Replicas, 1), d.Spec.Template.Spec.Containers[0].Image != f.Spec.Image:
		return fmt.Errorf("asks for %d of %s, and its Deployment has %d of %s", ptr.Deref(f.Spec.Replicas, 1), f.Spec.Image,
			ptr.Deref(d.Spec.Replicas, 1), d.Spec.Template.Spec.Containers[0].Image)
	}
	return nil
}

// verdict returns the reason that a Flunder has to have. There are no cycles.
func (st *state) verdict(f *v1beta1.Flunder) string {
	if f.Spec.Image == invalidImage {
		return v1beta1.ReasonInvalidImage
	}
	if f.Spec.FlunderReference == "" {
		return v1beta1.ReasonAvailable
	}
	referred := st.flunders[f.Namespace+"/"+f.Spec.FlunderReference]
	switch {
	case referred == nil:
		return v1beta1.ReasonReferenceNotFound
	case st.verdict(referred) != v1beta1.ReasonAvailable:
		return v1beta1.ReasonReferenceNotReady
	}
	return v1beta1.ReasonAvailable
}
