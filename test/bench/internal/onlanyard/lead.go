// SPDX-License-Identifier: Apache-2.0

package onlanyard

import (
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// lead has the program work as leader only, where -elect asks for it, with the default times.
func lead(s *program.Settings, options *controller.ManagerOptions) {
	if s.Elect {
		options.LeaderElection = &controller.LeaderElection{Namespace: s.Namespace, Name: "lanyard", Identity: s.Token}
	}
}
