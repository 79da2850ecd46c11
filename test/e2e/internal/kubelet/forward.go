// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// Node is a node with a kubelet that forwards ports, with the code of a real one. A pod on it has the ports of the
// machine that the tests run on.
type Node struct {
	Name   string
	server *httptest.Server
}

// NewNode makes a node. Its kubelet answers until Close is called.
func NewNode(ctx context.Context, client kubernetes.Interface, name string) (*Node, error) {
	n := &Node{Name: name}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		portforward.ServePortForward(w, r, n, r.PathValue("pod"), "", &portforward.V4Options{}, time.Minute, 10*time.Second,
			portforward.SupportedProtocols)
	})
	n.server = httptest.NewUnstartedServer(mux)
	n.server.TLS = &tls.Config{NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12} // streams are upgraded connections
	n.server.StartTLS()
	address, err := netip.ParseAddrPort(n.server.Listener.Addr().String())
	if err == nil {
		err = n.register(ctx, client, address)
	}
	if err != nil {
		n.Close()
		return nil, fmt.Errorf("make the node %s: %w", name, err)
	}
	return n, nil
}

// register says in the node's status where its kubelet answers.
func (n *Node) register(ctx context.Context, client kubernetes.Interface, address netip.AddrPort) error {
	node, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address.Addr().String()}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(address.Port())
	_, err = client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

// Create makes a pod on the node whose container runs.
func (n *Node) Create(ctx context.Context, pods corev1client.PodInterface, name string) (*corev1.Pod, error) {
	return create(ctx, pods, name, n.Name)
}

// Close ends the kubelet. The node is still there.
func (n *Node) Close() { n.server.Close() }

// PortForward carries one connection to a port.
func (n *Node) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(conn, stream)
	}()
	_, err = io.Copy(stream, conn)
	_ = stream.Close()
	<-sent
	return err
}
