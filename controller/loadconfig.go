// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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
		return nil, errNoServer(rules)
	case clientcmd.IsEmptyConfig(err):
		return nil, fmt.Errorf("read the kubeconfig %s: it names no cluster", path)
	case strings.Contains(err.Error(), path): // always, when path is ""
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	default:
		return nil, fmt.Errorf("read the kubeconfig %s: %w", path, err)
	}
}

// errNoServer says where an API server was looked for, and which of the files are missing.
func errNoServer(rules *clientcmd.ClientConfigLoadingRules) error {
	named := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if named == "" {
		return errors.New(
			"find an API server: this is no pod, and neither KUBECONFIG nor ~/.kube/config names one",
		)
	}
	var missing []string
	for _, file := range rules.Precedence {
		if _, err := os.Stat(file); file != "" && errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, file)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("find an API server: this is no pod, and KUBECONFIG names %s, which does "+
			"not exist: correct KUBECONFIG, or make the file", strings.Join(missing, " and "))
	}
	return fmt.Errorf(
		"find an API server: this is no pod, and KUBECONFIG names %s, which names no cluster", named)
}
