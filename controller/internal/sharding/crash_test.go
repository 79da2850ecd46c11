// SPDX-License-Identifier: Apache-2.0

package sharding

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/election"
	"github.com/lanyard-k8s/lanyard/controller/internal/witness"
)

// listed is the fake's client, which cannot send a list as a watch.
type listed struct{ corev1client.PodsGetter }

func (listed) IsWatchListSemanticsUnSupported() bool { return true }

// pods are those in which replicas run.
type pods struct {
	*schedule
	client *fake.Clientset
}

// startIn starts a replica in a pod of its name. Each run of its container is an instance.
func (p *pods) startIn(name, instance string) *replica {
	p.report(name, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: inSeconds()}})
	return p.start(name, func(c *Config) {
		c.Witness = witness.New(listed{p.client.CoreV1()}, false)
		c.Home = &election.Home{Instance: instance, Container: witness.Container{
			Namespace: "ns", Pod: name, UID: types.UID("uid-of-" + name), Name: "manager",
		}}
	})
}

// inSeconds is now as a status has it.
func inSeconds() metav1.Time { return metav1.NewTime(time.Now().Truncate(time.Second)) }

// report is what the kubelet says of the container of a pod.
func (p *pods) report(name string, state corev1.ContainerState) {
	p.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-of-" + name)},
		Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "manager", State: state}}},
	}
	all := p.client.CoreV1().Pods("ns")
	if _, err := all.UpdateStatus(p.ctx, pod, metav1.UpdateOptions{}); err == nil {
		return
	}
	if _, err := all.Create(p.ctx, pod, metav1.CreateOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// crash kills a replica. The kubelet reports that soon.
func (p *pods) crash(r *replica) {
	r.kill()
	<-r.done
	time.Sleep(200 * time.Millisecond)
	p.report(r.keeper.config.Identity, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: inSeconds()}})
}

// served is how many slots the replicas serve.
func served(replicas ...*replica) (n int) {
	for _, r := range replicas {
		n += valid(r)
	}
	return n
}

// roundTrips is enough for what follows the report of a crash: another buries the membership, and takes its slots.
const roundTrips = 500 * time.Millisecond

func TestC32TheSlotsOfAReplicaThatCrashesAreTakenAtOnce(t *testing.T) {
	for name, crashes := range map[string]int{"one of four crashes": 1, "two of four crash": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pods{newSchedule(t, 1), fake.NewClientset()}
				var all []*replica
				for _, name := range []string{"a", "b", "c", "d"} {
					all = append(all, p.startIn(name, "1"))
				}
				time.Sleep(5 * time.Second)
				if n := served(all...); n != slots {
					t.Fatalf("%d slots are served", n)
				}
				gone, left := all[:crashes], all[crashes:]
				for _, r := range gone {
					p.crash(r)
				}
				time.Sleep(roundTrips)
				if n := served(left...); n != slots {
					t.Errorf("%d slots are served %v after the kubelet has reported the crash, with Leases of %v", n, roundTrips, duration)
				}
				for _, r := range left {
					if served(r) == 0 {
						t.Errorf("%s serves none", r.keeper.config.Identity)
					}
					r.end()
					<-r.done
				}
			})
		})
	}
}

func TestC32AContainerThatIsStartedAgainServesItsSlotsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pods{newSchedule(t, 1), fake.NewClientset()}
		a := p.startIn("a", "1")
		time.Sleep(5 * time.Second)
		a.kill()
		<-a.done
		again := p.startIn("a", "2")
		time.Sleep(roundTrips)
		if n := served(again); n != slots {
			t.Errorf("%d slots are served %v after the container was started again", n, roundTrips)
		}
		again.end()
		<-again.done
	})
}

// A replica of which nobody knows that it is gone has its slots until its Lease has expired, and each is watched by
// two others only.
func TestC32EachReplicaIsFollowedByTwoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pods{newSchedule(t, 1), fake.NewClientset()}
		var all []*replica
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			all = append(all, p.startIn(name, "1"))
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, r := range all {
			if n := len(r.keeper.followers.of); n != watchers {
				t.Errorf("%s follows %d others", r.keeper.config.Identity, n)
			}
		}
		all[0].end()
		<-all[0].done
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(all[0].keeper.followers.of); n != 0 {
			t.Errorf("a replica that has ended follows %d others", n)
		}
		followed := map[string]int{}
		for _, r := range all[1:] {
			for name := range r.keeper.followers.of {
				followed[name]++
			}
			r.kill()
			<-r.done
		}
		if len(followed) != 4 {
			t.Errorf("these are followed: %v", followed)
		}
		for name, n := range followed {
			if n != watchers {
				t.Errorf("%s is followed by %d others", name, n)
			}
		}
	})
}
