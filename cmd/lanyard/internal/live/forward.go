// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
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
	"k8s.io/streaming/pkg/httpstream"
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
	return p.forward(ctx, config, client)
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

func (p *Pod) forward(ctx context.Context, config *rest.Config, client kubernetes.Interface) (address string, stop func(), err error) {
	dialer, err := p.dialer(config, client)
	if err != nil {
		return "", nil, err
	}
	ctx, end := context.WithCancel(ctx)
	ready, done := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", p.Port)}, ready, io.Discard, io.Discard)
	if err != nil {
		end()
		return "", nil, err
	}
	var failed error // is written before done is closed
	go func() {
		defer close(done)
		failed = forwarder.ForwardPorts()
	}()
	stop = func() {
		end()
		<-done // how it ends concerns nobody any more
	}
	select {
	case <-ready:
	case <-done:
		end()
		return "", nil, fmt.Errorf("forward a port to the pod %s/%s: %w", p.Namespace, p.Name, failed)
	case <-ctx.Done(): // client-go's dialers have no context
		end()
		return "", nil, fmt.Errorf("forward a port to the pod %s/%s: %w", p.Namespace, p.Name, context.Cause(ctx))
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		stop()
		return "", nil, err
	}
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local), stop, nil
}

// dialer reaches the pod as kubectl does: by WebSockets or, where something between does not let them through, by SPDY.
func (p *Pod) dialer(config *rest.Config, client kubernetes.Interface) (httpstream.Dialer, error) {
	target := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(p.Namespace).Name(p.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	overSockets, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, config)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	return portforward.NewFallbackDialerForStreaming(overSockets, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}
