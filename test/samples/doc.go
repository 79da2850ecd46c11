// SPDX-License-Identifier: Apache-2.0

// Package samples applies the sample objects of an operator from their files, and waits until the operator has made
// them ready:
//
//	objects, err := samples.Apply(ctx, config, "default", "config/samples")
//	for _, object := range objects {
//		err = errors.Join(err, samples.AwaitReady(ctx, config, object))
//	}
package samples
