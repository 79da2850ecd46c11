// SPDX-License-Identifier: Apache-2.0

package program

import (
	"flag"

	"github.com/lanyard-k8s/lanyard/controller"
)

// Options describes a program.
type Options struct {
	// Name is the program's name: in messages, as the user agent of its calls, and as the default name
	// of its Lease. The names of its environment variables begin with it. It is required.
	Name string

	// Manager has the options of the manager, which the flags change:
	//   - The values of SyncTimeout, DrainTimeout, ShutdownTimeout and StragglerStacks are the defaults
	//     of their flags.
	//   - LeaderElection has the defaults of the flags -leader-elect-NAME. It does not turn the election
	//     on: only -leader-elect does. Margin has no flag. Pod is by default what the variables
	//     POD_NAMESPACE, POD_NAME, POD_UID and CONTAINER_NAME say, if all are set.
	//   - Sharding has the default of -shards-slots, and the Key. It does not turn sharding on: only -shards
	//     does. The names and times of its Leases are those of -leader-elect-NAME.
	//   - DryRun has the options of -plan. It does not make the run dry: only -plan does.
	//   - Telemetry is used where [Telemetry] leaves a field unset.
	Manager controller.ManagerOptions

	// AddFlags adds the program's own flags. Their values can be used in the set-up function. A name
	// that the program has already is an error. Default: nil, for none.
	AddFlags func(flags *flag.FlagSet)

	// Telemetry exports traces and metrics. Default: nil, which exports nothing and has no flags. The
	// module github.com/lanyard-k8s/lanyard/telemetry has one.
	Telemetry Telemetry
}
