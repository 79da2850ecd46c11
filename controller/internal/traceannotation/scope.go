// SPDX-License-Identifier: Apache-2.0

package traceannotation

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lanyard-k8s/lanyard/controller/internal/work"
)

type settingsKey struct{}

// NewContext returns a context with settings.
func NewContext(ctx context.Context, settings *Settings) context.Context {
	return context.WithValue(ctx, settingsKey{}, settings)
}

// SettingsOf returns the settings of a context. Without any, annotations are written, because whoever
// annotates an object outside a manager wants that.
func SettingsOf(ctx context.Context) Settings {
	if found, ok := ctx.Value(settingsKey{}).(*Settings); ok {
		return *found
	}
	return Settings{Write: true}
}

// IsReconciled reports whether an object is the one that is being reconciled on ctx. It is never annotated.
func IsReconciled(ctx context.Context, object metav1.Object) bool {
	unit := work.From(ctx)
	return unit != nil && unit.UID != "" && object.GetUID() == unit.UID
}
