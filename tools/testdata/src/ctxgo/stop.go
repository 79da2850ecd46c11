package ctxgo

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func runWorker(ctx context.Context) {}

func runsWorkers(workers int, stopCh <-chan struct{}) {
	for range workers {
		go runWorker(context.Background()) // want `runs on a context that does not end when stopCh is closed: give the function a context in place of stopCh, or make one of it with wait.ContextForChannel`
		go wait.Until(func() {             // want `runs on a context that does not end when stopCh is closed`
			runWorker(context.TODO())
		}, time.Second, stopCh)
	}
	<-stopCh
}

func localChannel() {
	quit := make(chan struct{})
	go runWorker(context.Background()) // want `runs on a context that does not end when quit is closed`
	close(quit)
}

func bridges(stopCh <-chan struct{}, ready chan struct{}, results chan<- struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stopCh
		cancel()
	}()
	go runWorker(ctx)
}

func waitsFirst(stopCh <-chan struct{}) {
	go func() {
		<-stopCh
		runWorker(context.Background())
	}()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		runWorker(ctx)
	}()
	<-stopCh
	go runWorker(context.Background())
}

func noStop(ready chan struct{}, values <-chan int, stop chan<- struct{}) {
	go runWorker(context.Background())
}

func (r *reconciler) reconcileDropped(_ context.Context) error {
	go runWorker(context.Background()) // want `runs on a context that never ends, although the function is given one, as _: name the parameter ctx`
	return nil
}

func startDropped(_ context.Context) { go runWorker(context.Background()) }
