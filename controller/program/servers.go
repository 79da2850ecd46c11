// SPDX-License-Identifier: Apache-2.0

package program

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/page"
	"github.com/lanyard-k8s/lanyard/controller/serve"
)

// validateServers refuses settings with which others could read what is not for them.
func (s *settings) validateServers() error {
	switch {
	case s.metricsSecure && s.metricsAddress == "":
		return errors.New("-metrics-secure has no effect without -metrics-addr")
	case s.metricsSecure && s.certificates == "":
		return errors.New("-metrics-secure needs a certificate: name its folder with -tls-cert-dir")
	case s.profiles && s.pageAddress == "":
		return errors.New("-pprof has no effect without -page-addr")
	case s.pageAddress != "" && !serve.IsLoopback(s.pageAddress) && s.certificates == "":
		return fmt.Errorf("-page-addr=%s: others can reach it. Use a loopback address, such as 127.0.0.1:8082, which "+
			"kubectl port-forward reaches, or name the folder of a certificate with -tls-cert-dir", s.pageAddress)
	}
	return nil
}

// addServers adds the servers that the flags ask for. They answer until everything else has stopped.
func addServers(m *controller.Manager, s *settings, name string, exports *Exports) error {
	servers := []*serve.Server{}
	if s.healthAddress != "" {
		servers = append(servers, &serve.Server{Name: "health", Address: s.healthAddress, Handler: serve.Health(m)})
	}
	if s.metricsAddress != "" {
		metrics := &serve.Server{Name: "metrics", Address: s.metricsAddress, Handler: serve.Metrics(exports.Metrics)}
		if err := s.secure(m, metrics, s.metricsSecure); err != nil {
			return err
		}
		servers = append(servers, metrics)
	}
	if s.pageAddress != "" {
		shown := &serve.Server{Name: "page", Address: s.pageAddress, Handler: pages(m, name, s.profiles)}
		local := serve.IsLoopback(s.pageAddress)
		if local {
			shown.Handler = serve.Local(shown.Handler)
		}
		if err := s.secure(m, shown, !local); err != nil {
			return err
		}
		servers = append(servers, shown)
	}
	for _, server := range servers {
		server.Remedy = fmt.Sprintf("-%s-addr names another address", server.Name)
		m.AddServer(server.Name, server.Run)
	}
	return nil
}

// secure makes a server ask who may read what it has.
func (s *settings) secure(m *controller.Manager, server *serve.Server, secure bool) error {
	if !secure {
		return nil
	}
	server.TLS = &serve.TLS{
		CertFile: filepath.Join(s.certificates, "tls.crt"), KeyFile: filepath.Join(s.certificates, "tls.key"),
	}
	var err error
	server.Guard, err = serve.NewGuard(m.Config(), serve.GuardOptions{})
	if err != nil {
		return fmt.Errorf("serve %s: %w", server.Name, err)
	}
	return nil
}

// pages returns the page at /page/, and the profiles.
func pages(m *controller.Manager, name string, profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/page/", http.StripPrefix("/page", page.New(m, page.Options{Name: name})))
	mux.Handle("GET /{$}", http.RedirectHandler("/page/", http.StatusFound))
	if profiles {
		mux.Handle("/debug/pprof/", serve.Profiles())
	}
	return mux
}
