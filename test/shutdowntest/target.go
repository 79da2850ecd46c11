// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import "github.com/lanyard-k8s/lanyard/test/internal/target"

// Target says what a request is about, in the API server's own words: Verb is get, list, watch, create, update,
// patch, apply, delete, deletecollection, or else the method; Resource has the group and the subresource, such as
// deployments.apps or flunders.wardle.example.com/status; Name is the path of what is no resource.
type Target = target.Target
