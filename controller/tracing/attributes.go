package tracing

// ScopeName is the instrumentation scope of this package's spans.
const ScopeName = "github.com/lanyard-k8s/lanyard/controller/tracing"

// Names of spans. A client span's is its method and its url.template, a user's step's is the user's.
const (
	SpanReconcile = "reconcile"  // CONSUMER, followed by a space and the controller's name
	SpanThrottle  = "throttle"   // INTERNAL, what an API call waited for before it was sent
	SpanTermBegin = "term begin" // INTERNAL, a term of leadership begins
	SpanTermEnd   = "term end"   // INTERNAL, a term of leadership ends
)

// Attributes of a reconcile that are known when it starts, which are those that a sampler sees.
const (
	AttrController  = "lanyard.controller"        // string: the controller's name; marks a span as a reconcile's
	AttrNamespace   = "lanyard.namespace"         // string: of the object or of what a call is about
	AttrObjectGroup = "lanyard.object.group"      // string
	AttrObjectKind  = "lanyard.object.kind"       // string
	AttrObjectName  = "lanyard.object.name"       // string
	AttrObjectUID   = "lanyard.object.uid"        // string
	AttrReason      = "lanyard.reason"            // string, one of the Reason constants
	AttrAttempt     = "lanyard.attempt"           // int: 1 for the first of a chain of retries
	AttrQueueWait   = "lanyard.queue.wait"        // float, seconds: ready and waiting for a worker
	AttrQueueDelay  = "lanyard.queue.delay"       // float, seconds: asked for, by back-off or requeue-after
	AttrTriggers    = "lanyard.triggers"          // int: events that were made one
	AttrChainID     = "lanyard.chain_id"          // string: trace id of the chain's first attempt
	AttrTerm        = "lanyard.term"              // int: number of the term of leadership
	AttrLease       = "lanyard.lease"             // string: namespace and name
	AttrTermEnd     = "lanyard.term.end"          // string, on the end of a term: how, a cause.TermEnd
	AttrGeneration  = "lanyard.object.generation" // int
)

// Attributes of a reconcile that are known when it ends.
const (
	AttrResult      = "lanyard.result"       // string, one of the Result constants
	AttrCancelCause = "lanyard.cancel_cause" // string: cause.Name of the context, also on client spans
	AttrWrites      = "lanyard.writes"       // int: API calls that were not reads
	AttrAPICalls    = "lanyard.api_calls"    // int: attempts at API calls
	AttrErrorType   = "error.type"           // string: [ErrorType], also on client spans
)

// Attributes of client spans, beside those of OpenTelemetry's conventions for HTTP clients.
const (
	AttrVerb          = "lanyard.verb"            // string: get, list, create, update, patch, apply, delete, deletecollection
	AttrResource      = "lanyard.resource"        // string: deployments.apps, flunders.wardle.example.com/status
	AttrName          = "lanyard.name"            // string: of the object that the call is about
	AttrAuditID       = "lanyard.audit_id"        // string: the request's Audit-ID
	AttrServerAuditID = "lanyard.audit_id.server" // string: the server's, only where it is another

	AttrMethod      = "http.request.method"
	AttrStatusCode  = "http.response.status_code"
	AttrResendCount = "http.request.resend_count"
	AttrURLTemplate = "url.template"
	AttrURLFull     = "url.full" // without the query
	AttrServerHost  = "server.address"
	AttrServerPort  = "server.port"
)

// AttrThrottleReason says on a throttle span what was waited for: one of the Throttle constants.
const AttrThrottleReason = "lanyard.throttle.reason"

// What an API call may wait for before it is sent.
const (
	ThrottleRateLimiter = "rate_limiter" // the client's own
	ThrottleRetryAfter  = "retry_after"  // the time that the server's answer to the attempt before asked for
	ThrottleConnection  = "connection"   // room on a connection
	ThrottleFence       = "fence"        // that the server's fence hears of the term
)

// Reasons for a reconcile.
const (
	ReasonObjectChanged  = "object_changed"
	ReasonRelatedChanged = "related_changed"
	ReasonRequeueAfter   = "requeue_after"
	ReasonRetry          = "retry"
	ReasonResync         = "resync"
	ReasonStartUp        = "start_up"
	ReasonSuperseded     = "superseded"
)

// Results of a reconcile.
const (
	ResultDone      = "done"
	ResultRequeue   = "requeue"
	ResultRetry     = "retry"
	ResultTerminal  = "terminal"
	ResultCancelled = "cancelled"
	ResultTimeout   = "timeout"
	ResultPanic     = "panic"
)
