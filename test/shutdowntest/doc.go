// SPDX-License-Identifier: Apache-2.0

// Package shutdowntest proves of a controller that it stops as it should: that every API call it is in
// returns at once, with the cause, that nothing is sent afterwards, and that nothing is left running.
//
// A [Proxy] stands in front of an API server and holds, withholds, delays, cuts or refuses requests by
// verb and resource. [Start] runs a manager against it. When as many calls are outstanding as the test
// wants, [Run.End] ends the manager's context with a cause, and [Run.AssertPromise] says what was not
// kept:
//
//	proxy := shutdowntest.NewProxy(t, config)
//	held := proxy.Add(shutdowntest.Match{Verb: "apply", Resource: "deployments.apps"}, shutdowntest.Stall())
//	run := shutdowntest.Start(t, proxy, setup, shutdowntest.Options{})
//	held.Await(1)
//	run.End(errors.New("the node is drained"))
//	run.AssertPromise(shutdowntest.Expect{})
//
// A controller that is not built with Lanyard is run with [StartFunc]; all that it needs is a
// rest.Config. Goroutines are counted, so a test that uses the package does not run in parallel with others
// of its package.
package shutdowntest
