// SPDX-License-Identifier: Apache-2.0

// Package program is what the three programs under test share: their flags, the task that the workload has
// for an object, and the report on what it took. It knows nothing of any framework.
package program

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Settings are the flags of each program.
type Settings struct {
	Kubeconfig string
	Namespace  string
	Kind       string        // configmap or flunder
	Objects    int           // how many objects the program is to be done with; 0: it is never done
	Target     int           // how often each object is to be written
	Token      string        // marks the writes of this run
	Live       bool          // each reconcile makes one live GET
	Work       time.Duration // how long each reconcile takes besides
	Workers    int
	Elect      bool   // lead before working
	CPUProfile string // file
	MemProfile string // file; allocations, each one counted
}

// Flunders reports whether the objects are Flunders.
func (s *Settings) Flunders() bool { return s.Kind == "flunder" }

// errAsked is why the root context ends.
var errAsked = errors.New("told to end")

// Program runs one framework until ctx ends.
type Program func(ctx context.Context, config *rest.Config, s *Settings, p *Probe) error

// Main is the main function of a program under test. The benchmark writes commands, one per line, to
// its standard input and reads events, one JSON object per line, from its standard output.
func Main(root context.Context, run Program) {
	if err := realMain(root, os.Args[1:], os.Stdin, os.Stdout, run); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func realMain(root context.Context, args []string, in io.Reader, out io.Writer, run Program) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // as controller-runtime's config and Lanyard's manager have it: the server limits
	ctx, cancel := context.WithCancelCause(root)
	defer cancel(errAsked)
	p := newProbe(s, out)
	stopProfiles, err := startProfiles(s)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		p.end(cancel)
	}()
	go p.obey(bufio.NewScanner(in), cancel)
	err = run(ctx, config, s, p)
	returned, late := p.returns()
	p.emit(Event{Name: EventEnd, Snapshot: p.snapshot(), Returned: returned, Late: late})
	return errors.Join(err, stopProfiles())
}

func parse(args []string) (*Settings, error) {
	s := &Settings{}
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	flags.StringVar(&s.Kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&s.Namespace, "namespace", "default", "the namespace that is watched")
	flags.StringVar(&s.Kind, "kind", "configmap", "configmap or flunder")
	flags.IntVar(&s.Objects, "objects", 0, "how many objects there are to be done with")
	flags.IntVar(&s.Target, "target", 0, "how often each object is written")
	flags.StringVar(&s.Token, "token", "", "marks the writes of this run")
	flags.BoolVar(&s.Live, "live", false, "make one live GET in each reconcile")
	flags.DurationVar(&s.Work, "work", 0, "how long each reconcile takes besides")
	flags.IntVar(&s.Workers, "workers", 4, "how many objects are reconciled at the same time")
	flags.BoolVar(&s.Elect, "elect", false, "take part in an election and work as leader only")
	flags.StringVar(&s.CPUProfile, "cpuprofile", "", "file for a CPU profile")
	flags.StringVar(&s.MemProfile, "memprofile", "", "file for a profile of all allocations")
	return s, flags.Parse(args)
}

// startProfiles starts the profiles that the flags ask for. A program that is profiled is not measured.
func startProfiles(s *Settings) (stop func() error, err error) {
	if s.MemProfile != "" {
		runtime.MemProfileRate = 512
	}
	if s.CPUProfile != "" {
		file, err := os.Create(s.CPUProfile)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
	}
	return func() error {
		pprof.StopCPUProfile()
		if s.MemProfile == "" {
			return nil
		}
		file, err := os.Create(s.MemProfile)
		if err != nil {
			return err
		}
		return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
	}, nil
}
