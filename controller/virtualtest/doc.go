// SPDX-License-Identifier: Apache-2.0

// Package virtualtest tests operators in virtual time: an API server in memory, and a manager that runs on it
// inside a bubble of [testing/synctest]. A test that waits an hour takes milliseconds, and waits no longer than
// the operator needs.
//
//	func TestAWidgetIsMadeAgainEachHour(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			api := virtualtest.NewAPI(t, virtualtest.Resource{Group: "example.com", Version: "v1", Kind: "Widget"})
//			virtualtest.Start(t, api, setUp) // setUp is the function that the program gives to controller.Main
//			widget := &examplev1.Widget{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "w"}}
//			api.Create(widget)
//			synctest.Wait() // until nothing has anything to do
//			time.Sleep(time.Hour)
//			synctest.Wait()
//			api.Get(widget)
//		})
//	}
//
// The clients are the real ones: client-go sends its requests to an [API] as it would send them to an API server,
// and only the socket is missing. What the fakes of client-go leave out is there:
//
//   - A request ends with its context.
//   - Each write has a resourceVersion of its own, which grows, and an update from an old one is a conflict (409). So
//     are a UID or a resourceVersion in preconditions that do not fit.
//   - Objects have a UID, a creation time and, where a real API server keeps one, a generation.
//   - An object with finalizers stays, with a deletion time, until the last one is removed.
//   - The status is written through its subresource, and only there.
//   - A watch starts at its resourceVersion, streams the initial list if it is asked to, has bookmarks, ends after its
//     time, and is told that its version is gone (410) after [API.Compact].
//   - Selectors of labels and of fields hold for lists and watches, also for an object that comes to match.
//   - Server-side apply, with managed fields and conflicts; JSON, merge and strategic merge patches; dry runs.
//   - A call can take time ([API.Delay]) or fail, before it has done anything ([API.Before]) or after it has
//     ([API.After]).
//
// # What it does not do
//
// It admits everything: no validation, no defaults, no admission plugins, webhooks or policies, no authorization. An
// object may be in a namespace that does not exist. It does not convert: the versions of one resource are the same
// object with another apiVersion. It has no controllers, so a Deployment makes no pods, a namespace that is deleted
// takes nothing with it, and owned objects stay after their owner, unless [API.CollectGarbage] is called. Of
// subresources it has status alone. It speaks JSON, and lists have no pages. Server-side apply knows the schema of the
// built-in kinds, and of those whose [Resource] has a TypeConverter; lists of other kinds are merged as one value.
//
// A leader's term ends in virtual time when a renewal fails or another holder is seen. The clock that ends a term of
// which a stopped process knows nothing is the machine's, and stands still in a bubble.
//
// What depends on any of that is tested on a real API server: see the module test/controlplane.
package virtualtest
