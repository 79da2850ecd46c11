// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/clientset/versioned"
)

// teams is the number of namespaces whose Flunders are shared.
const teams = 12

// sharing shows how processes share the work.
type sharing struct {
	stage   *stage
	play    *play
	kube    kubernetes.Interface
	wardle  versioned.Interface
	divided int // the number of slots
}

// share makes Flunders in several namespaces, and shows which process has which slots: at rest, after one process
// was killed, after it was started again, and after one has ended in order.
func share(ctx context.Context, st *stage, p *play, once bool) error {
	s := &sharing{stage: st, play: p}
	var err error
	if s.kube, err = kubernetes.NewForConfig(st.admin); err != nil {
		return err
	}
	if s.wardle, err = versioned.NewForConfig(st.admin); err != nil {
		return err
	}
	err = s.show(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil || once {
		return err
	}
	fmt.Printf(`
  kubectl:   export KUBECONFIG=%s
  try next:  kubectl get flunders -A
             kubectl -n %s get leases
             kill a process by its process id, and the others take its slots; with -9 when its lease has expired
  Ctrl-C ends the controllers, with an account of what they were doing, and then the rest.

`, st.kubeconfig, systemNamespace)
	select {
	case <-p.exited:
		return errors.New("the sample controllers are gone")
	case <-ctx.Done():
		return nil
	}
}

func (s *sharing) show(ctx context.Context) error {
	if err := s.makeTeams(ctx); err != nil {
		return err
	}
	began := time.Now()
	pods := s.stage.pods
	if err := s.rest(ctx, "all processes share the slots", pods); err != nil {
		return err
	}
	before, err := s.shares(ctx)
	if err != nil {
		return err
	}
	say("shares", "%s, after %v", describe(before, pods), round(time.Since(began)))

	victim := s.play.of(pods[0])
	if victim == nil {
		return fmt.Errorf("the process of the pod %s is gone", pods[0])
	}
	say("kill -9", "process %d of pod %s; the others wait until its Lease has expired, 15 s", victim.process.Process.Pid, pods[0])
	if err := s.move(ctx, pods[1:], func() error { return victim.process.Process.Signal(syscall.SIGKILL) }); err != nil {
		return err
	}
	<-victim.exited
	say("start", "pod %s again", pods[0])
	if err := s.move(ctx, pods, func() error { return s.play.start(ctx, pods[0]) }); err != nil {
		return err
	}
	last := s.play.of(pods[len(pods)-1])
	if last == nil {
		return fmt.Errorf("the process of the pod %s is gone", pods[len(pods)-1])
	}
	say("end", "process %d of pod %s, in order: it gives its slots back", last.process.Process.Pid, last.pod)
	if err := s.move(ctx, pods[:len(pods)-1], last.interrupt); err != nil {
		return err
	}
	return s.allReady(ctx)
}

// move does something that has slots move, and shows which have when all are held by pods again.
func (s *sharing) move(ctx context.Context, pods []string, do func() error) error {
	before, err := s.shares(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := do(); err != nil {
		return err
	}
	if err := s.rest(ctx, "the slots are shared again", pods); err != nil {
		return err
	}
	after, err := s.shares(ctx)
	if err != nil {
		return err
	}
	moved := map[string]int{}
	for slot, pod := range after {
		if before[slot] != pod {
			moved[short(before[slot])+" to "+short(pod)]++
		}
	}
	var moves []string
	for _, way := range slices.Sorted(maps.Keys(moved)) {
		moves = append(moves, fmt.Sprintf("%d from %s", moved[way], way))
	}
	say("moved", "%s, at rest after %v", cmp.Or(strings.Join(moves, ", "), "nothing"), round(time.Since(began)))
	say("shares", "%s", describe(after, pods))
	return nil
}

// makeTeams makes namespaces, with a Flunder in each.
func (s *sharing) makeTeams(ctx context.Context) error {
	for i := range teams {
		name := fmt.Sprintf("team-%02d", i+1)
		if _, err := s.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		if _, err := s.wardle.WardleV1beta1().Flunders(name).Create(ctx, &v1beta1.Flunder{
			ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1beta1.FlunderSpec{Image: "registry.k8s.io/pause:3.10"},
		}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	say("samples", "a Flunder in each of the namespaces team-01 to team-%02d", teams)
	return nil
}

// rest waits until exactly these pods share all slots.
func (s *sharing) rest(ctx context.Context, what string, pods []string) error {
	return until(ctx, 50*time.Millisecond, time.Minute, what, func(ctx context.Context) (bool, error) {
		shares, err := s.shares(ctx)
		return s.divided > 0 && len(shares) == s.divided && slices.Equal(slices.Compact(slices.Sorted(maps.Values(shares))), pods), err
	})
}

// until asks again and again whether something holds. An error of holds is told only if it lasts.
func until(ctx context.Context, every, limit time.Duration, what string, holds func(context.Context) (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, every, limit, true, func(ctx context.Context) (ok bool, _ error) {
		ok, last = holds(ctx)
		return ok && last == nil, nil
	})
	if err != nil {
		return errors.Join(fmt.Errorf("not so within %v: %s: %w", limit, what, err), last)
	}
	return nil
}

// shares returns the pods that have slots, by the slots' numbers.
func (s *sharing) shares(ctx context.Context) (map[int]string, error) {
	leases, err := s.kube.CoordinationV1().Leases(systemNamespace).List(ctx, metav1.ListOptions{
		LabelSelector: "lanyard-k8s.github.io/sharding-kind=slot",
	})
	if err != nil {
		return nil, fmt.Errorf("list the slots' Leases: %w", err)
	}
	s.divided = len(leases.Items)
	shares := map[int]string{}
	for i := range leases.Items {
		lease := &leases.Items[i]
		number, err := strconv.Atoi(lease.Labels["lanyard-k8s.github.io/slot"])
		if err != nil {
			return nil, fmt.Errorf("the lease %s: %w", lease.Name, err)
		}
		if holder := ptr.Deref(lease.Spec.HolderIdentity, ""); holder != "" {
			shares[number] = holder
		}
	}
	return shares, nil
}

// describe says how many slots each pod has.
func describe(shares map[int]string, pods []string) string {
	counts := map[string]int{}
	for _, pod := range shares {
		counts[pod]++
	}
	var parts []string
	for _, pod := range pods {
		parts = append(parts, fmt.Sprintf("%s has %d", short(pod), counts[pod]))
	}
	return fmt.Sprintf("%s of %d slots", strings.Join(parts, ", "), len(shares))
}

// short returns what tells a pod from the others.
func short(pod string) string {
	return cmp.Or(strings.TrimPrefix(pod, "flunder-controller-demo-"), "nobody")
}

// allReady waits until all Flunders are ready, and says so.
func (s *sharing) allReady(ctx context.Context) error {
	err := until(ctx, 200*time.Millisecond, 2*time.Minute, "all Flunders are ready", func(ctx context.Context) (bool, error) {
		list, err := s.wardle.WardleV1beta1().Flunders(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		return len(list.Items) == teams && !slices.ContainsFunc(list.Items, func(f v1beta1.Flunder) bool {
			return !meta.IsStatusConditionTrue(f.Status.Conditions, v1beta1.ConditionReady)
		}), nil
	})
	if err == nil {
		say("at rest", "all %d Flunders are ready", teams)
	}
	return err
}
