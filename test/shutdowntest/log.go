// SPDX-License-Identifier: Apache-2.0

package shutdowntest

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// withoutLog has nothing logged. What a controller under test logs is not what a failed test is about.
func withoutLog(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }
