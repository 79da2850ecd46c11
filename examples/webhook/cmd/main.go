// SPDX-License-Identifier: Apache-2.0

// The example as a program: in a pod behind the Service of config/webhook.yaml.
package main

import (
	"os"

	"k8s.io/klog/v2/textlogger"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/examples/webhook"
)

func main() {
	crlog.SetLogger(textlogger.NewLogger(textlogger.NewConfig())) // controller-runtime has a logger for the whole process
	controller.Main(controller.ManagerOptions{}, func(m *controller.Manager) error {
		return webhook.SetUp(m, crwebhook.Options{CertDir: os.Getenv("CERT_DIR")})
	})
}
