package ctxplumb

func elsewhere(r *reconciler) {
	r.ensure("b")
	go r.ensure("c")
	go r.Sync()
}
