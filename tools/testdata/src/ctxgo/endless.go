package ctxgo

import (
	"context"
	"log"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func work() bool { return true }

func polls(ctx context.Context) {
	go func() { // want `nothing ends this goroutine: its loop has no way out: end it with ctx and join it`
		for {
			work()
			time.Sleep(time.Second)
		}
	}()
}

func pollsUntilStopped(stopCh <-chan struct{}, in chan int) {
	go func() { // want `nothing ends this goroutine: its loop has no way out: end it with stopCh and join it`
		for {
			select {
			case <-in:
				break
			case <-time.After(time.Second):
				continue
			}
		}
	}()
}

func starts(ticker *time.Ticker) {
	go loop()                 // want `its loop has no way out: give it a context, and join it`
	go (&reconciler{}).loop() // want `its loop is over a ticker's channel, which nobody closes`
	go func() {               // want `its loop is over a ticker's channel`
		for range time.Tick(time.Second) {
			work()
		}
	}()
	go wait.Forever(func() {}, time.Second)               // want `wait.Forever does not return`
	go wait.Until(func() {}, time.Second, wait.NeverStop) // want `wait.NeverStop is never closed`
	go func() {                                           // want `wait.NeverStop is never closed`
		defer work()
		wait.Until(func() {}, time.Second, wait.NeverStop)
	}()
	go func() { // want `it waits for nothing`
		select {}
	}()
	go func() { // want `its loop has no way out`
	outer:
		for {
			for {
				if work() {
					break
				}
				if work() {
					continue outer
				}
			}
		}
	}()
	//ctxvet:ok ctxgo: as long as the process
	go loop()
}

func loop() {
	for {
		work()
	}
}

func (r *reconciler) loop() {
	ticker := time.NewTicker(time.Second)
	for range ticker.C {
		work()
	}
}

func waysOut(ctx context.Context, in <-chan int, stopCh <-chan struct{}) {
	go func() {
		for {
			if !work() {
				return
			}
		}
	}()
	go func() {
		for range in {
			work()
		}
	}()
	go func() {
	loop:
		for {
			select {
			case <-in:
			case <-stopCh:
				break loop
			}
		}
	}()
	go func() {
		for {
			if work() {
				break
			}
		}
	}()
	go func() {
		for range time.Tick(time.Second) {
			if ctx.Err() != nil {
				return
			}
		}
	}()
	go func() {
		for {
			if !work() {
				log.Fatal("as it should")
			}
		}
	}()
	go func() {
		for work() {
		}
	}()
	go wait.Until(func() {}, time.Second, stopCh)
	go func() {
		later := func() {
			for {
				work()
			}
		}
		_ = later
	}()
}

func init() {
	go loop()
}
