// SPDX-License-Identifier: Apache-2.0

// Package semconv has the names of the spans and attributes that Lanyard makes, for queries,
// samplers and tests. (Semantic conventions are OpenTelemetry's term.) The values of attributes
// that come from bounded sets are in other packages: reconcile.Reason, reconcile.Outcome,
// report.Throttle and the names of package cause.
package semconv

// The instrumentation scopes of the spans.
const (
	ScopeController = "github.com/lanyard-k8s/lanyard/controller"         // of reconciles and terms
	ScopeCalls      = "github.com/lanyard-k8s/lanyard/controller/tracing" // of API calls and their waits
)

// Names of spans. The name of a client span is its method and its url.template.
const (
	SpanReconcile = "reconcile"  // CONSUMER, followed by a space and the controller's name
	SpanThrottle  = "throttle"   // INTERNAL, a wait of an API call before it was sent
	SpanTermBegin = "term begin" // INTERNAL, a term of leadership begins
	SpanTermEnd   = "term end"   // INTERNAL, a term of leadership ends
	SpanSlotBegin = "slot begin" // INTERNAL, the work on a slot begins
	SpanSlotEnd   = "slot end"   // INTERNAL, the work on a slot ends
)

// Attributes of a reconcile that are known when it starts. A sampler sees only these.
const (
	AttrController  = "lanyard.controller"        // string: the controller's name; only reconciles have it
	AttrNamespace   = "lanyard.namespace"         // string: of the object, or of the object that a call is about
	AttrObjectGroup = "lanyard.object.group"      // string
	AttrObjectKind  = "lanyard.object.kind"       // string
	AttrObjectName  = "lanyard.object.name"       // string
	AttrObjectUID   = "lanyard.object.uid"        // string
	AttrReason      = "lanyard.reason"            // string, a reconcile.Reason
	AttrAttempt     = "lanyard.attempt"           // int: 1 for the first of a chain of retries
	AttrQueueWait   = "lanyard.queue.wait"        // float, seconds: ready and waiting for a worker
	AttrQueueDelay  = "lanyard.queue.delay"       // float, seconds: the delay that a back-off or RequeueAfter asked for
	AttrTriggers    = "lanyard.triggers"          // int: the number of events that led to this reconcile
	AttrChainID     = "lanyard.chain_id"          // string: trace id of the chain's first attempt
	AttrTerm        = "lanyard.term"              // int: number of the term of leadership
	AttrLease       = "lanyard.lease"             // string: namespace and name
	AttrTermEnd     = "lanyard.term.end"          // string, on the end of a term or slot: a cause.TermEnd
	AttrSlot        = "lanyard.slot"              // int: number of the slot, on its begin and end
	AttrGeneration  = "lanyard.object.generation" // int
)

// Attributes of a reconcile that are known when it ends.
const (
	AttrResult      = "lanyard.result"       // string, a reconcile.Outcome
	AttrCancelCause = "lanyard.cancel_cause" // string: cause.Name of the context, also on client spans
	AttrWrites      = "lanyard.writes"       // int: API calls that were not reads
	AttrAPICalls    = "lanyard.api_calls"    // int: attempts at API calls
	AttrErrorType   = "error.type"           // string: tracing.ErrorType, also on client spans

	AttrWithoutEffect = "lanyard.writes.without_effect" // int: writes that changed nothing
	AttrSent          = "lanyard.bytes.sent"            // int: of the bodies of requests
	AttrReceived      = "lanyard.bytes.received"        // int: of the bodies of answers
	AttrOnWire        = "lanyard.api_time"              // float, seconds: from sending requests until answers were read
	AttrThrottled     = "lanyard.throttled"             // float, seconds: for which calls were held back on this side
)

// Attributes of client spans, beside those of OpenTelemetry's conventions for HTTP clients.
const (
	AttrVerb          = "lanyard.verb"            // string: get, list, create, update, patch, apply, delete, deletecollection
	AttrResource      = "lanyard.resource"        // string: deployments.apps, flunders.wardle.example.com/status
	AttrName          = "lanyard.name"            // string: of the object that the call is about
	AttrAuditID       = "lanyard.audit_id"        // string: the request's Audit-ID
	AttrServerAuditID = "lanyard.audit_id.server" // string: the server's, if it is another

	AttrMethod      = "http.request.method"
	AttrStatusCode  = "http.response.status_code"
	AttrResendCount = "http.request.resend_count"
	AttrURLTemplate = "url.template"
	AttrURLFull     = "url.full" // without the query
	AttrServerHost  = "server.address"
	AttrServerPort  = "server.port"
)

// AttrThrottleReason is the reason for a throttle span, a report.Throttle.
const AttrThrottleReason = "lanyard.throttle.reason"
