package main

import (
	"fmt"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/test/bench/internal/program"
)

// lead has the program work as leader only, where -elect asks for it. Until the framework has leadership, the
// program says that it has not, and the benchmark leaves its row open.
func lead(s *program.Settings, _ *controller.Options) error {
	if s.Elect {
		return fmt.Errorf("leadership: %w", program.ErrUnsupported)
	}
	return nil
}
