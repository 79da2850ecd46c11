// SPDX-License-Identifier: Apache-2.0

// Package workload has the workloads, W1 to W10: what each program under test is put through, and what is
// measured then.
package workload

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/lanyard-k8s/lanyard/test/bench/internal/child"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/plane"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/report"
)

// Workload is one of them.
type Workload struct {
	ID    string
	Title string
	// Prepare makes the objects; it is called once, before the first run.
	Prepare func(ctx context.Context, e *Env) error
	// Run runs one program once.
	Run func(ctx context.Context, e *Env, name string, r *report.Result) error
	// RunTogether runs all programs of a round, in place of Run: at the same time what takes nothing from any of
	// them. A result is there for each, in the order of their turns.
	RunTogether func(ctx context.Context, e *Env, results []*report.Result) error
	// Once reports whether one run of a program is many rounds already.
	Once bool
}

// Env is what the workloads run in.
type Env struct {
	Plane    *plane.Plane
	Programs string   // the folder of the binaries
	Names    []string // the programs that run
	Dir      string   // for logs and other files
	Scale    Scale
	Profiles string // folder for profiles; empty: none are taken
	Round    int
}

// Scale is how much there is of everything.
type Scale struct {
	Objects     int           // W1, W4
	Writes      int           // W2, W8
	Events      int           // W3: objects that change
	Rate        int           // W3: changes a second
	Listen      time.Duration // W3
	Burst       time.Duration // W4: how long each reconcile takes
	Outstanding []int         // W5: calls
	Terms       int           // W6: hand-overs after SIGTERM, in each round
	Kills       int           // W6: after SIGKILL, in each round
	Leaders     int           // W6: objects
	Churn       time.Duration // W7
	ChurnSet    int           // W7: objects
	Contended   int           // W9: objects
	Increments  int           // W9: writes of each
	Large       int           // W10
}

// The scales.
var (
	Full = Scale{Objects: 10_000, Writes: 2_000, Events: 500, Rate: 100, Listen: 15 * time.Second, Burst: time.Millisecond,
		Outstanding: []int{1, 50, 99, 300}, Terms: 3, Kills: 1, Leaders: 50, Churn: 10 * time.Minute, ChurnSet: 2_000,
		Contended: 50, Increments: 20, Large: 100_000}
	Quick = Scale{Objects: 10_000, Writes: 1_000, Events: 200, Rate: 100, Listen: 3 * time.Second, Burst: time.Millisecond,
		Outstanding: []int{1, 99, 300}, Terms: 1, Kills: 1, Leaders: 50, Churn: 6 * time.Second, ChurnSet: 500,
		Contended: 50, Increments: 10}
	Tiny = Scale{Objects: 50, Writes: 20, Events: 5, Rate: 20, Listen: 500 * time.Millisecond, Burst: time.Millisecond,
		Outstanding: []int{1, 3}, Terms: 1, Leaders: 2, Churn: time.Second, ChurnSet: 5,
		Contended: 3, Increments: 2, Large: 100}
)

// All returns the workloads in their order.
func All() []Workload {
	return []Workload{start(), writes(), latency(), burst(), cancelled(), handOver(), churn(), custom(), conflicts(), large()}
}

// limit is how long anything may take that is waited for.
const limit = 5 * time.Minute

var runs atomic.Int64

// token is a mark that no run has used on this server.
func token(name string) string { return fmt.Sprintf("%s-%d", name, runs.Add(1)) }

// launch starts a program on a namespace.
func (e *Env) launch(name, workload, namespace string, args ...string) (*child.Child, error) {
	return e.launchAt(e.Plane.Kubeconfig, name, workload, namespace, args...)
}

func (e *Env) launchAt(kubeconfig, name, workload, namespace string, args ...string) (*child.Child, error) {
	args = append([]string{"-kubeconfig", kubeconfig, "-namespace", namespace}, args...)
	if e.Profiles != "" {
		// One at a time: to record allocations takes CPU. Round by round, into files of their own.
		kind := []string{"mem", "cpu"}[e.Round%2]
		file := fmt.Sprintf("%s-%s.%s.%d.pprof", workload, name, kind, e.Round)
		args = append(args, "-"+kind+"profile", filepath.Join(e.Profiles, file))
	}
	return child.Start(filepath.Join(e.Programs, name), filepath.Join(e.Dir, name+".log"), args...)
}

// ready starts a program, waits until it has seen n objects, and asks it for what it has used by then.
func (e *Env) ready(ctx context.Context, name, workload, namespace string, n int, command string) (*child.Child, program.Event, error) {
	c, err := e.launch(name, workload, namespace, "-objects", strconv.Itoa(n))
	if err != nil {
		return nil, program.Event{}, err
	}
	_, err = c.Await(ctx, program.EventDone, limit)
	var used program.Event
	if err == nil {
		used, err = c.Ask(ctx, command)
	}
	if err != nil {
		c.Kill()
	}
	return c, used, err
}

// spent is what a program and the server used between two moments.
type spent struct {
	cpu, allocs, bytes float64
	seconds            float64
	reconciles         float64
	writes             float64
	conflicts          float64
}

func between(from, to program.Snapshot) spent {
	return spent{
		cpu: to.CPU - from.CPU, allocs: float64(to.Allocs - from.Allocs), bytes: float64(to.Bytes - from.Bytes),
		seconds:    to.At.Sub(from.At).Seconds(),
		reconciles: float64(to.Reconciles - from.Reconciles), writes: float64(to.Writes - from.Writes),
		conflicts: float64(to.Conflicts - from.Conflicts),
	}
}

// figures adds what was spent for each of n things.
func (s spent) figures(r *report.Result, what string, n float64, server plane.Reading) {
	r.Add(fmt.Sprintf("CPU s per 1,000 %ss", what), s.cpu/n*1000)
	r.Add("allocations per "+what, s.allocs/n)
	r.Add("allocated KB per "+what, s.bytes/n/1000)
	r.Add("API requests per "+what, server.Requests/n)
	r.Add(fmt.Sprintf("server CPU s per 1,000 %ss", what), server.CPU/n*1000)
}

// Programs are the programs under test; the first is what the others are compared with.
var Programs = []string{"bare", "controllerruntime", "lanyard", "telemetry"}

// Variants are programs that run only if they are asked for by name.
var Variants = []string{"apart", "page"}

// ignoreRace lets pass that an object is just being made anew.
func ignoreRace(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
