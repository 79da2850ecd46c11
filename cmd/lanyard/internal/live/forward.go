// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// Pod is a pod of a cluster whose page is asked.
type Pod struct {
	Kubeconfig, Context string // as kubectl has them; empty for kubectl's defaults
	Namespace           string // empty for that of the context
	Name, Selector      string // one of them; of the pods that a selector selects it is the first that runs
	Port                int    // of the page in the pod
}

// Forward forwards a local port to a pod, and returns the address of its page. stop ends that.
func (p Pod) Forward(ctx context.Context) (address string, stop func(), err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = p.Kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: p.Context})
	config, err := loaded.ClientConfig()
	if err != nil {
		return "", nil, fmt.Errorf("load the kubeconfig: %w", err)
	}
	if p.Namespace == "" {
		if p.Namespace, _, err = loaded.Namespace(); err != nil {
			return "", nil, fmt.Errorf("load the kubeconfig: %w", err)
		}
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", nil, err
	}
	if err := p.find(ctx, client); err != nil {
		return "", nil, err
	}
	return p.forward(config, client)
}

// find fills in the name of a pod that was selected.
func (p *Pod) find(ctx context.Context, client kubernetes.Interface) error {
	if p.Name != "" {
		return nil
	}
	pods, err := client.CoreV1().Pods(p.Namespace).List(ctx, metav1.ListOptions{LabelSelector: p.Selector})
	if err != nil {
		return fmt.Errorf("look for the pod: %w", err)
	}
	i := slices.IndexFunc(pods.Items, func(pod corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning })
	if i < 0 {
		return fmt.Errorf("no pod runs in the namespace %s with the labels %s: name one with --pod", p.Namespace, p.Selector)
	}
	p.Name = pods.Items[i].Name
	return nil
}

func (p *Pod) forward(config *rest.Config, client kubernetes.Interface) (address string, stop func(), err error) {
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return "", nil, err
	}
	target := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(p.Namespace).Name(p.Name).SubResource("portforward").URL()
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	ended, ready, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var failed error // is written before done is closed
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", p.Port)}, ended, ready, io.Discard, io.Discard)
	if err != nil {
		return "", nil, err
	}
	go func() {
		defer close(done)
		failed = forwarder.ForwardPorts()
	}()
	select {
	case <-ready:
	case <-done:
		return "", nil, fmt.Errorf("forward a port to the pod %s/%s: %w", p.Namespace, p.Name, errors.Join(failed))
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		close(ended)
		return "", nil, err
	}
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local), func() {
		close(ended)
		<-done // how it ends concerns nobody any more
	}, nil
}
