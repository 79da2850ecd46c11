// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"net/http"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/page"
	"github.com/lanyard-k8s/lanyard/controller/serve"
)

// The page on an address that only the machine itself, or the pod, reaches.
func ExampleNew() {
	add := func(m *controller.Manager) {
		shown := http.StripPrefix("/page", page.New(m, page.Options{Name: "widget-operator"}))
		server := &serve.Server{Name: "page", Address: "127.0.0.1:8082", Handler: serve.Local(shown)}
		m.AddServer("page", server.Run)
	}
	_ = add
}
