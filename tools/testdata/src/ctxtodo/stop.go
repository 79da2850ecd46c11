package ctxtodo

import (
	"context"
	"log/slog"
)

func untilStopped(stopCh <-chan struct{}, each func(func())) {
	call(context.Background()) // want `context.Background\(\) does not end when stopCh is closed: give the function a context in place of stopCh, or make one of it with wait.ContextForChannel`
	each(func() {
		call(context.TODO()) // want `context.TODO\(\) does not end when stopCh is closed`
	})
	ctx := context.Background() // want `does not end when stopCh is closed`
	call(ctx)
	for {
		select {
		case <-stopCh:
			return
		default:
		}
		call(context.Background())
	}
}

func loopUntilStopped(stopCh <-chan struct{}) {
	for {
		select {
		case <-stopCh:
			return
		default:
		}
		call(context.Background()) // want `does not end when stopCh is closed`
	}
}

func afterStop(stopCh <-chan struct{}) {
	<-stopCh
	call(context.Background())
}

func shutdownOnStop(stopCh <-chan struct{}) { call(context.Background()) }

func bridged(stopCh <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call(ctx)
	defer call(context.Background())
}

func otherChannels(ready chan struct{}, values <-chan int, stop chan<- struct{}) {
	call(context.Background())
}

func localStop() {
	stop := make(chan struct{})
	call(context.Background())
	close(stop)
}

func logsUntilStopped(stopCh <-chan struct{}) {
	slog.InfoContext(context.Background(), "waiting")
}
