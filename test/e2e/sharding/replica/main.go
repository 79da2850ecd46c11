// SPDX-License-Identifier: Apache-2.0

// A replica is a process whose controller is sharded, for tests that stop and kill processes. It writes into
// each object by whom, and in which term of its slot, it was written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/lanyard-k8s/lanyard/controller"
)

var (
	kubeconfig = flag.String("kubeconfig", "", "of the API server")
	namespace  = flag.String("namespace", "", "of the Leases")
	identity   = flag.String("identity", "", "of this replica")
	objects    = flag.String("objects", "", "the value of the label of the objects")
	workers    = flag.Int("workers", 16, "how many objects are reconciled at the same time")
	took       = flag.Duration("took", 20*time.Millisecond, "how long a reconcile waits, for something outside")
	lease      = flag.Duration("lease", 3*time.Second, "the duration of the Lease; a multiple of three seconds")
	pod        = flag.String("pod", "", "the UID of the pod that this process passes for; its name is the identity")
	share      = flag.Bool("share", false, "the cache holds this replica's share only")
)

// received counts the bytes that connections bring.
var received atomic.Int64

type countedConn struct{ net.Conn }

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	received.Add(int64(n))
	return n, err
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return countedConn{conn}, nil
}

func main() {
	flag.Parse()
	if err := run(*kubeconfig, *namespace, *identity); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig, namespace, identity string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	config.UserAgent = "replica/" + identity
	config.Dial = dial
	sharding := &controller.Sharding{
		Namespace: namespace, Name: "shared", Identity: identity,
		LeaseDuration: *lease, RenewDeadline: *lease * 2 / 3, RetryPeriod: *lease / 6,
	}
	if *pod != "" {
		sharding.Pod = &controller.LeaderPod{Name: identity, UID: *pod, Container: "manager", Instance: "run 0"}
	}
	m := controller.NewManager(config, controller.ManagerOptions{Sharding: sharding})
	client, err := kubernetes.NewForConfig(m.Config())
	if err != nil {
		return err
	}
	informer := informerOf(m, client)
	controller.New(m, "shared", informer, func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
		return controller.Result{}, reconcile(ctx, client, identity, cm)
	}, controller.Options{Sharded: true, Workers: *workers})
	ctx, stop := controller.SignalContext(context.Background(), m)
	defer stop()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			fmt.Fprintf(os.Stderr, "holds %d objects, received %d bytes\n", len(informer.GetIndexer().ListKeys()), received.Load())
		}
	}()
	return m.Run(ctx)
}

func informerOf(m *controller.Manager, client kubernetes.Interface) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
	choose := func(o *metav1.ListOptions) { o.LabelSelector = "sharding-test=" + *objects }
	if *share {
		return controller.InShards(m, controller.InformerOptions{}, func(namespace string) cache.TypedSharedIndexInformer[*corev1.ConfigMap] {
			return coreinformers.NewTypedFilteredConfigMapInformer(client, namespace, 0, nil, choose)
		})
	}
	factory := controller.AddFactory(m, informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(choose)))
	return factory.Core().V1().ConfigMaps().TypedInformer()
}

func reconcile(ctx context.Context, client kubernetes.Interface, identity string, cm *corev1.ConfigMap) error {
	if cm.Data["done"] == cm.Data["want"] {
		return nil
	}
	select {
	case <-time.After(*took):
	case <-ctx.Done():
		return ctx.Err()
	}
	term, ok := controller.TermFrom(ctx)
	if !ok {
		return errors.New("the item has no term")
	}
	cm.Data["done"] = cm.Data["want"]
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "by", identity)
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "written", time.Now().UTC().Format(time.RFC3339Nano))
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "lease", term.Lease.Name)
	metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "term", fmt.Sprint(term.Number))
	_, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{})
	return err
}
