// SPDX-License-Identifier: Apache-2.0

package plan

import "errors"

// ErrRefused is the error of a call that a dry run does not make, because the API server has no dry run of
// it: exec, attach, port-forward and what goes through a proxy, tokens of service accounts, and whatever is
// no read of a path that is no resource.
var ErrRefused = errors.New("a dry run does not make this call, because the API server has no dry run of it")
