package ctxplumb

import "context"

func call(ctx context.Context) error { return nil }

type reconciler struct{}

func (r *reconciler) Reconcile(ctx context.Context) error {
	if err := r.ensure("a"); err != nil {
		return err
	}
	return r.Sync(1)
}

func (r *reconciler) ensure(name string) error { return r.apply(name, 1) }

func (r *reconciler) apply(name string, n int) error {
	return call(context.TODO()) // want `no context reaches this call, so nothing can cancel it: hand it down Reconcile\(ctx\) → ensure → apply`
}

// Sync is called from elsewhere too.
func (r *reconciler) Sync(ns ...int) error {
	return call(context.TODO()) // want `hand it down Reconcile\(ctx\) → Sync`
}

func viaClosure(ctx context.Context, later func(func())) {
	later(func() { lonely() })
}

func lonely() {
	call(context.TODO()) // want `hand it down viaClosure\(ctx\) → lonely`
}

func main() { topmost() }

func topmost() {
	call(context.TODO()) // want `give topmost a parameter ctx \(main → topmost\)`
}
