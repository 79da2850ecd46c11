package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/child"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

// warmUp is how long a stand-by has before the leader is ended, and up to a retry period more, so
// that the signal meets the stand-by at any time between two of its tries.
const (
	warmUp      = 3 * time.Second
	retryPeriod = 2 * time.Second
)

func handOver() Workload {
	return Workload{
		ID: "W6", Title: "from the signal to the leader until the first write of its successor",
		Once: true,
		Prepare: func(ctx context.Context, e *Env) error {
			for _, name := range Programs {
				if err := e.Plane.Fill(ctx, "bench-lead-"+name, "configmap", e.Scale.Leaders); err != nil {
					return err
				}
			}
			return nil
		},
		Run: func(ctx context.Context, e *Env, name string, r *report.Result) error {
			p := &pair{env: e, name: name, namespace: "bench-lead-" + name, workload: r.Workload}
			defer p.kill()
			return p.run(ctx, r)
		},
	}
}

// pair is a leader and its stand-by. Each replica writes every object that another has written last.
type pair struct {
	env       *Env
	name      string
	namespace string
	workload  string
	replicas  []*replica // the leader first
	writes    watch.Interface
}

type replica struct {
	*child.Child
	token string
}

func (p *pair) run(ctx context.Context, r *report.Result) error {
	var err error
	p.writes, err = p.env.Plane.Kube.CoreV1().ConfigMaps(p.namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer p.writes.Stop()
	leader, err := p.add()
	if err != nil {
		return err
	}
	if _, err := p.awaitWrite(ctx, leader); err != nil {
		return err
	}
	for _, how := range []struct {
		signal os.Signal
		name   string
		rounds int
	}{
		{syscall.SIGTERM, "ms after SIGTERM", p.env.Scale.Terms},
		{syscall.SIGKILL, "ms after SIGKILL", p.env.Scale.Kills},
	} {
		var took []float64
		for range how.rounds {
			t, err := p.handOver(ctx, how.signal)
			if err != nil {
				return fmt.Errorf("hand-over: %w", err)
			}
			took = append(took, t.Seconds()*1000)
		}
		if how.rounds > 0 {
			r.Percentiles(how.name, took)
		}
	}
	return nil
}

// handOver starts a stand-by, ends the leader by a signal, and returns the time until the stand-by wrote.
func (p *pair) handOver(ctx context.Context, s os.Signal) (time.Duration, error) {
	successor, err := p.add()
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(warmUp + rand.N(retryPeriod)):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	leader := p.replicas[0]
	began := time.Now()
	if err := leader.Signal(s); err != nil {
		return 0, err
	}
	at, err := p.awaitWrite(ctx, successor)
	if err != nil {
		return 0, err
	}
	leader.Kill() // it has ended, or is of no interest any more
	p.replicas = p.replicas[1:]
	return at.Sub(began), nil
}

func (p *pair) add() (*replica, error) {
	r := &replica{token: token(p.name)}
	var err error
	r.Child, err = p.env.launch(p.name, p.workload, p.namespace,
		"-elect", "-target", "1", "-token", r.token, "-objects", strconv.Itoa(p.env.Scale.Leaders))
	if err != nil {
		return nil, err
	}
	p.replicas = append(p.replicas, r)
	return r, nil
}

var errEnded = errors.New("the program ended before it wrote")

// awaitWrite waits until an object shows that a replica has written it.
func (p *pair) awaitWrite(ctx context.Context, r *replica) (time.Time, error) {
	gone := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, err := r.Await(ctx, program.EventEnd, limit)
		if err == nil {
			err = cmp.Or(r.Ended(), errEnded)
		}
		gone <- err // has room, and nobody listens once ctx has ended
	}()
	timeout := time.NewTimer(2 * time.Minute)
	defer timeout.Stop()
	for {
		select {
		case event, ok := <-p.writes.ResultChan():
			if !ok {
				return time.Time{}, errors.New("the benchmark's own watch has ended")
			}
			object, ok := event.Object.(metav1.Object)
			if ok && strings.HasPrefix(object.GetAnnotations()[program.TokenAnnotation], r.token+"/") {
				return time.Now(), nil
			}
		case err := <-gone:
			return time.Time{}, err
		case <-timeout.C:
			return time.Time{}, fmt.Errorf("%s: no write of the successor", p.name)
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
	}
}

func (p *pair) kill() {
	for _, r := range p.replicas {
		r.Kill()
	}
}
