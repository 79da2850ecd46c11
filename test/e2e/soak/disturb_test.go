// SPDX-License-Identifier: Apache-2.0

package soak_test

import (
	"context"
	"fmt"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lanyard-k8s/lanyard/api/wardle/v1beta1"
	"github.com/lanyard-k8s/lanyard/test/shutdowntest"
)

const (
	teams = 6
	each  = 4 // at most so many Flunders in a namespace
)

// disturbance is one thing that is done to the world. Its name is what the plan shows.
type disturbance struct {
	weight int
	what   string
	do     func(s *soak, ctx context.Context) error
}

// disturbances are what may happen. Each draws from the plan's random numbers only.
func disturbances() []disturbance {
	return []disturbance{
		{20, "create a Flunder", (*soak).create},
		{15, "scale a Flunder", (*soak).scale},
		{10, "change an image", (*soak).changeImage},
		{10, "change a reference", (*soak).refer},
		{10, "delete a Flunder", (*soak).remove},
		{8, "delete a Deployment", (*soak).removeDeployment},
		{8, "scale a Deployment", (*soak).scaleDeployment},
		{3, "kill a process", (*soak).killProcess},
		{3, "end a process", (*soak).endProcess},
		{3, "stop a process for a while", (*soak).stopProcess},
		{6, "cut connections", (*soak).cut},
		{6, "cut answers", (*soak).cutAnswers},
		{6, "slow answers", (*soak).slow},
		{6, "refuse requests", (*soak).refuse},
		{3, "delete a Lease", (*soak).deleteLease},
		{3, "empty a Lease", (*soak).emptyLease},
		{1, "restart the API server", (*soak).restartServer},
	}
}

// flunder draws a Flunder: its namespace and number.
func (s *soak) flunder() (namespace, name string, number int) {
	number = s.random.IntN(each)
	return fmt.Sprintf("team-%d", s.random.IntN(teams)), fmt.Sprintf("f%d", number), number
}

// reference draws one to a Flunder with a smaller number, so that there are no cycles, or none.
func (s *soak) reference(number int) string {
	if n := s.random.IntN(number + 1); n > 0 {
		return fmt.Sprintf("f%d", n-1)
	}
	return ""
}

const invalidImage = "NOT AN IMAGE"

func (s *soak) image() string {
	if s.random.IntN(5) == 0 {
		return invalidImage
	}
	return fmt.Sprintf("registry.k8s.io/pause:3.%d", s.random.IntN(9))
}

// harmless returns no error for what happens when two disturbances meet.
func harmless(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (s *soak) create(ctx context.Context) error {
	namespace, name, number := s.flunder()
	replicas := int32(s.random.IntN(3))
	_, err := s.wardle.WardleV1beta1().Flunders(namespace).Create(ctx, &v1beta1.Flunder{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1beta1.FlunderSpec{Image: s.image(), Replicas: &replicas, FlunderReference: s.reference(number)},
	}, metav1.CreateOptions{})
	return harmless(err)
}

func (s *soak) patch(ctx context.Context, namespace, name, patch string) error {
	_, err := s.wardle.WardleV1beta1().Flunders(namespace).Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return harmless(err)
}

func (s *soak) scale(ctx context.Context) error {
	namespace, name, _ := s.flunder()
	return s.patch(ctx, namespace, name, fmt.Sprintf(`{"spec":{"replicas":%d}}`, s.random.IntN(3)))
}

func (s *soak) changeImage(ctx context.Context) error {
	namespace, name, _ := s.flunder()
	return s.patch(ctx, namespace, name, fmt.Sprintf(`{"spec":{"image":%q}}`, s.image()))
}

func (s *soak) refer(ctx context.Context) error {
	namespace, name, number := s.flunder()
	reference := "null" // an empty one is not valid
	if to := s.reference(number); to != "" {
		reference = fmt.Sprintf("%q", to)
	}
	return s.patch(ctx, namespace, name, fmt.Sprintf(`{"spec":{"flunderReference":%s}}`, reference))
}

func (s *soak) remove(ctx context.Context) error {
	namespace, name, _ := s.flunder()
	return harmless(s.wardle.WardleV1beta1().Flunders(namespace).Delete(ctx, name, metav1.DeleteOptions{}))
}

func (s *soak) removeDeployment(ctx context.Context) error {
	namespace, name, _ := s.flunder()
	return harmless(s.kube.AppsV1().Deployments(namespace).Delete(ctx, name, metav1.DeleteOptions{}))
}

func (s *soak) scaleDeployment(ctx context.Context) error {
	namespace, name, _ := s.flunder()
	_, err := s.kube.AppsV1().Deployments(namespace).Patch(ctx, name, types.MergePatchType,
		fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, s.random.IntN(4)), metav1.PatchOptions{})
	return harmless(err)
}

func (s *soak) replica() *replica { return s.replicas[s.random.IntN(len(s.replicas))] }

func (s *soak) killProcess(context.Context) error {
	r := s.replica()
	r.kill()
	r.start()
	return nil
}

func (s *soak) endProcess(context.Context) error {
	r := s.replica()
	r.end()
	r.start()
	return nil
}

// stopProcess stops a process, for less than its Lease or for more.
func (s *soak) stopProcess(ctx context.Context) error {
	r := s.replica()
	r.signal(syscall.SIGSTOP)
	defer r.signal(syscall.SIGCONT)
	return pause(ctx, time.Duration(s.random.Int64N(int64(lease*3/2))))
}

func (s *soak) cut(context.Context) error {
	s.replica().proxy.Disconnect()
	return nil
}

// disturb adds a rule to the connection of a replica, until all is to come to rest.
func (s *soak) disturb(match shutdowntest.Match, fault shutdowntest.Fault) error {
	s.rules = append(s.rules, s.replica().proxy.Add(match, fault))
	return nil
}

func (s *soak) cutAnswers(context.Context) error {
	return s.disturb(shutdowntest.Match{Verb: shutdowntest.Write, First: 1 + s.random.IntN(4)}, shutdowntest.CutAnswer())
}

func (s *soak) slow(context.Context) error {
	return s.disturb(shutdowntest.Match{First: 1 + s.random.IntN(40)}, shutdowntest.Delay(time.Duration(s.random.Int64N(int64(time.Second)))))
}

func (s *soak) refuse(context.Context) error {
	statuses := []int{409, 429, 500, 503}
	return s.disturb(shutdowntest.Match{Verb: shutdowntest.Write, First: 1 + s.random.IntN(5)},
		shutdowntest.Answer(statuses[s.random.IntN(len(statuses))], time.Second))
}

// leaseName draws a Lease of the replicas.
func (s *soak) leaseName(ctx context.Context) (string, error) {
	list, err := s.kube.CoordinationV1().Leases("default").List(ctx, metav1.ListOptions{LabelSelector: "lanyard-k8s.github.io/sharding-kind in (slot,member)"})
	n := s.random.Int()
	if err != nil || len(list.Items) == 0 {
		return "", err
	}
	return list.Items[n%len(list.Items)].Name, nil
}

func (s *soak) deleteLease(ctx context.Context) error {
	name, err := s.leaseName(ctx)
	if err != nil || name == "" {
		return err
	}
	return harmless(s.kube.CoordinationV1().Leases("default").Delete(ctx, name, metav1.DeleteOptions{}))
}

func (s *soak) emptyLease(ctx context.Context) error {
	name, err := s.leaseName(ctx)
	if err != nil || name == "" {
		return err
	}
	_, err = s.kube.CoordinationV1().Leases("default").Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"holderIdentity":""}}`), metav1.PatchOptions{})
	return harmless(err)
}

func (s *soak) restartServer(ctx context.Context) error { return plane.RestartAPIServer(ctx) }
