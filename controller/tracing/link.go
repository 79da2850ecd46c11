// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/traceannotation"
)

// Link adds a link from the span in ctx to the trace in the tracing annotation of object, which
// [Inject] writes. It does nothing if object has no such annotation. Use it for an object that a
// reconcile reads, such as the Secret that a spec names. The framework links the reconciled object
// itself.
func Link(ctx context.Context, object metav1.Object) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	settings := traceannotation.SettingsOf(ctx)
	if link, ok := settings.LinkFrom(object); ok {
		span.AddLink(link)
	}
}
