// Package client is a clientset after KEP-1601.
package client

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type Pod struct{}

type Pods interface {
	Create(ctx context.Context, pod *Pod, opts metav1.CreateOptions) (*Pod, error)
	Update(ctx context.Context, pod *Pod, opts metav1.UpdateOptions) (*Pod, error)
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
	DeleteCollection(ctx context.Context, opts metav1.DeleteOptions, list metav1.ListOptions) error
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*Pod, error)
	Patch(ctx context.Context, name string, data []byte, opts metav1.PatchOptions, subresources ...string) (*Pod, error)
}

type Request struct{}

func (r *Request) Do(ctx context.Context) *Request { return r }
func (r *Request) Into(any) error                  { return nil }
