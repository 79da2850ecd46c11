// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig returns the content of a kubeconfig file that gives kubectl the
// same access as the config. Certificates and keys that the config names by
// path stay paths.
func Kubeconfig(c *rest.Config) ([]byte, error) {
	const name = "lanyard"
	file := api.NewConfig()
	file.Clusters[name] = &api.Cluster{
		Server:                   c.Host,
		CertificateAuthority:     c.CAFile,
		CertificateAuthorityData: c.CAData,
		InsecureSkipTLSVerify:    c.Insecure,
		TLSServerName:            c.ServerName,
	}
	file.AuthInfos[name] = &api.AuthInfo{
		ClientCertificate:     c.CertFile,
		ClientCertificateData: c.CertData,
		ClientKey:             c.KeyFile,
		ClientKeyData:         c.KeyData,
		Token:                 c.BearerToken,
		TokenFile:             c.BearerTokenFile,
		Username:              c.Username,
		Password:              c.Password,
		Impersonate:           c.Impersonate.UserName,
		ImpersonateUID:        c.Impersonate.UID,
		ImpersonateGroups:     c.Impersonate.Groups,
		ImpersonateUserExtra:  c.Impersonate.Extra,
		Exec:                  c.ExecProvider,
		AuthProvider:          c.AuthProvider,
	}
	file.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	data, err := clientcmd.Write(*file)
	if err != nil {
		return nil, fmt.Errorf("encode kubeconfig: %w", err)
	}
	return data, nil
}

// WriteKubeconfig writes Kubeconfig to path, readable by the owner only.
func WriteKubeconfig(path string, c *rest.Config) error {
	data, err := Kubeconfig(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
