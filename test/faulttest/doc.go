// SPDX-License-Identifier: Apache-2.0

// Package faulttest tries every fault at every call that a program makes of its API server, and says what does not
// come right afterwards.
//
// [Explore] runs the program twice without faults, and notes its calls and what it leaves. Then it runs a scenario for
// each call and each [Mode], on objects of its own: the connection breaks before the call or after it was applied, the
// process crashes there, somebody else changes the object, and so on. The program goes on without faults until it is
// at rest, and the oracles (see [Oracle]) compare that with the runs without faults:
//
//	faulttest.Explore(t, config, faulttest.Program{
//		Run: func(ctx context.Context, config *rest.Config, namespace string) error {
//			m := controller.NewManager(config, controller.ManagerOptions{})
//			if err := setUp(m, namespace); err != nil {
//				return err
//			}
//			return m.Run(ctx)
//		},
//		Objects: []runtime.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web"}}},
//	}, faulttest.Options{})
//
// A call is named by its verb, its resource, its object, and by its number among such calls, as in
// "patch deployments.apps web #3". With Lanyard it is counted for the object that is reconciled, so that it is the same
// call whatever else runs. Of other programs it is counted among all calls, which is less precise.
//
// The API server needs no controllers for what most programs make: the package collects garbage itself. Programs run in
// the process of the test, several at the same time. A program in a process of its own is reached through a proxy that
// Run starts before its config: see docs/faulttest.md.
package faulttest
