// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// tokenLife is how long the tokens are valid that are issued here.
const tokenLife = 24 * time.Hour

// Config returns what reaches the API server as a member of system:masters,
// without a client-side rate limit. Every call returns a copy of its own.
func (p *ControlPlane) Config() *rest.Config { return rest.CopyConfig(p.admin) }

// ServiceAccountConfig issues a token for a service account, which has to
// exist, and returns a config that holds nothing but the token, the address
// and the CA. The token is valid for 24 hours.
func (p *ControlPlane) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	return tokenConfig(ctx, p.admin, p.client, namespace, name, nil)
}

// ServiceAccountConfig does the same in any cluster, which admin can reach as
// somebody who may issue the token.
func ServiceAccountConfig(ctx context.Context, admin *rest.Config, namespace, name string) (*rest.Config, error) {
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	return tokenConfig(ctx, admin, client, namespace, name, nil)
}

// PodConfig is ServiceAccountConfig for the service account of a pod, with a
// token that is bound to the pod, as the kubelet would hand it to the pod's
// containers: requests made with it carry authentication.kubernetes.io/pod-name
// in the user's extra, and it ends with the pod.
func (p *ControlPlane) PodConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	return podConfig(ctx, p.admin, p.client, namespace, name)
}

// PodConfig does the same in any cluster, which admin can reach as somebody who
// may issue the token.
func PodConfig(ctx context.Context, admin *rest.Config, namespace, name string) (*rest.Config, error) {
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	return podConfig(ctx, admin, client, namespace, name)
}

func podConfig(ctx context.Context, admin *rest.Config, client kubernetes.Interface, namespace, name string) (*rest.Config, error) {
	pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("find the pod to issue a token for: %w", err)
	}
	account := pod.Spec.ServiceAccountName
	if account == "" {
		account = "default"
	}
	return tokenConfig(ctx, admin, client, namespace, account, &authenticationv1.BoundObjectReference{
		APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID,
	})
}

func tokenConfig(
	ctx context.Context, admin *rest.Config, client kubernetes.Interface,
	namespace, account string, bound *authenticationv1.BoundObjectReference,
) (*rest.Config, error) {
	seconds := int64(tokenLife / time.Second)
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account,
		&authenticationv1.TokenRequest{
			Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds, BoundObjectRef: bound},
		}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("issue a token for service account %s/%s (it has to exist): %w", namespace, account, err)
	}
	return &rest.Config{
		Host:        admin.Host,
		APIPath:     admin.APIPath,
		BearerToken: token.Status.Token,
		TLSClientConfig: rest.TLSClientConfig{
			CAFile: admin.CAFile, CAData: append([]byte(nil), admin.CAData...),
			ServerName: admin.ServerName, Insecure: admin.Insecure,
		},
	}, nil
}
