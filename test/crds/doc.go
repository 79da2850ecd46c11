// SPDX-License-Identifier: Apache-2.0

// Package crds installs CustomResourceDefinitions in a cluster, and waits until its API server serves them. A
// definition that is merely there is of no use yet: for a moment, its objects can be neither listed nor found by
// discovery, and a test that goes on at once fails now and then.
//
//	if err := crds.Install(ctx, config, "../../config/crd/bases"); err != nil {
//		log.Fatal(err)
//	}
//
// It needs client-go and nothing else.
package crds
