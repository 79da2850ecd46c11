// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// LoadConfig returns the configuration for clients of the API server. It reads the kubeconfig at
// path. If path is empty, it uses the service account of the pod that the process runs in. Outside
// a pod it reads the files that KUBECONFIG names, or ~/.kube/config, as kubectl does.
func LoadConfig(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if !errors.Is(err, rest.ErrNotInCluster) {
			return config, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).
		ClientConfig()
	switch {
	case err == nil:
		return config, nil
	case clientcmd.IsEmptyConfig(err) && path == "": // err is about a variable that nobody here needs
		return nil, errors.New(
			"find an API server: this is no pod, and neither KUBECONFIG nor ~/.kube/config names one",
		)
	case clientcmd.IsEmptyConfig(err):
		return nil, fmt.Errorf("read the kubeconfig %s: it names no cluster", path)
	case strings.Contains(err.Error(), path): // always, when path is ""
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	default:
		return nil, fmt.Errorf("read the kubeconfig %s: %w", path, err)
	}
}
