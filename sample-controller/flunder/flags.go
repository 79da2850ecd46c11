// SPDX-License-Identifier: Apache-2.0

package flunder

import "flag"

// AddFlags adds the controller's flags. Their defaults are the values of o.
func (o *Options) AddFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.Namespace, "namespace", o.Namespace, "the only namespace to work in; empty: all")
	flags.IntVar(&o.Workers, "workers", o.Workers,
		"the number of Flunders that are reconciled at the same time")
}
