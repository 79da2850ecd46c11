// Package v1 has the options of the real one that the goldens need.
package v1

type GetOptions struct{}
type ListOptions struct{ LabelSelector string }
type CreateOptions struct{}
type UpdateOptions struct{}
type PatchOptions struct{}
type DeleteOptions struct{ GracePeriodSeconds *int64 }
