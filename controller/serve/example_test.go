// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"net/http"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/serve"
)

// A server of the program's own.
func ExampleServer() {
	add := func(m *controller.Manager, pages http.Handler) {
		server := &serve.Server{Name: "pages", Address: ":8082", Handler: pages}
		m.AddServer("pages", server.Run)
	}
	_ = add
}
