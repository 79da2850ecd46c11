// SPDX-License-Identifier: Apache-2.0

package faulttest

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Program is what is tested, and on which objects.
type Program struct {
	// Run runs the program as it is wired in production, until ctx ends, and returns when nothing of it runs any more.
	// All its clients are made from config. Its objects and its Lease are in namespace, because other scenarios run
	// beside it; of what it lists or watches in all namespaces it gets what is in that one. Run is called several times
	// in a scenario, for what are several processes. The cause of ctx is then ErrStopped, or ErrCrashed: Run kills a
	// process of its own then. It is required.
	Run func(ctx context.Context, config *rest.Config, namespace string) error

	// Objects are made in the namespace before the program starts. The first is the one that is changed, deleted and
	// made again in the course of the test. Objects of kinds that client-go does not know need their TypeMeta. One
	// is required.
	Objects []runtime.Object

	// SetUp makes what else the program needs, after Objects. Default: nothing.
	SetUp func(ctx context.Context, config *rest.Config, namespace string) error

	// Change is what somebody else does to the first object, for example to its spec. It gives the same when it is
	// called again. Default: an annotation.
	Change func(object *unstructured.Unstructured)

	// NamespaceLabels are labels of the namespaces. Default: none.
	NamespaceLabels map[string]string
}

// Options says how to explore. The zero value works.
type Options struct {
	// Modes are the modes to try. Default: all.
	Modes []Mode
	// Pairs tries pairs of faults when all single ones have been tried, until Budget is used up. Default: false.
	Pairs bool
	// Budget limits the whole exploration. If it is too small for all faults, those that are tried are drawn at
	// random. The flag -faultbudget overrides it. Default: no limit, and one minute for pairs.
	Budget time.Duration
	// Seed is for what is drawn. The flag -faultseed overrides it. Default: a new one, which a failure prints.
	Seed uint64
	// Parallel is the number of scenarios that run at the same time. Default: 8.
	Parallel int
	// Quiet is for how long a program must make no call, and get no event, to be taken for at rest. Until the end
	// state is right, it has Patience in any case. Default: 50 ms; 300 ms for programs that are not built with Lanyard.
	Quiet time.Duration
	// Settle is Quiet for the runs without faults, which show what is right. A program that asks to be called again
	// later needs more than that time. Default: 500 ms.
	Settle time.Duration
	// Patience is how long a program may do nothing before it does what it has to, such as the first back-off
	// after an error. It is waited for only before a failure. Default: five seconds.
	Patience time.Duration
	// Ignore are resources that are not judged, such as pods or jobs.batch. Events and Leases never are.
	Ignore []string
}

var (
	planFlag   = flag.String("fault", "", "the only plan that package faulttest tries, as a failure prints it")
	seedFlag   = flag.Uint64("faultseed", 0, "the seed of package faulttest, as a failure prints it")
	budgetFlag = flag.Duration("faultbudget", 0, "the time that package faulttest has for each exploration")
)

// The defaults of Options.Quiet. Other frameworks look only every 100 ms whether their caches are full.
const (
	defaultQuiet = 50 * time.Millisecond
	foreignQuiet = 300 * time.Millisecond
)

func (o *Options) setDefaults() {
	o.Seed = cmp.Or(*seedFlag, o.Seed, rand.Uint64())
	o.Budget = cmp.Or(*budgetFlag, o.Budget)
	if o.Pairs && o.Budget == 0 {
		o.Budget = time.Minute
	}
	o.Parallel = cmp.Or(o.Parallel, 8)
	o.Settle = cmp.Or(o.Settle, 500*time.Millisecond)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	if len(o.Modes) == 0 {
		o.Modes = Modes()
	}
}

func (p *Program) validate(o *Options) error {
	switch {
	case p.Run == nil:
		return errors.New("Program.Run is nil: it has to run the program")
	case len(p.Objects) == 0:
		return errors.New("Program.Objects is empty: the program needs an object to work on")
	}
	for _, mode := range o.Modes {
		if !slices.Contains(Modes(), mode) {
			return fmt.Errorf("Options.Modes has %q: there are %q", mode, Modes())
		}
	}
	return nil
}
