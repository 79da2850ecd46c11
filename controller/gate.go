// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller/internal/loops"
	"github.com/lanyard-k8s/lanyard/controller/internal/pipeline"
	"github.com/lanyard-k8s/lanyard/controller/internal/written"
)

// gate keeps the items of a controller back until the caches show what earlier reconciles have written.
type gate struct {
	unsynced   *unsynced
	writes     *written.Writes
	loops      *loops.Finder
	stale      bool // stale reads are allowed
	controller string
	kind       schema.GroupKind
	list       written.List
}

var _ pipeline.Gate = (*gate)(nil)

func (g *gate) item(request Request) written.Item {
	return written.Item{Controller: g.controller, Key: request}
}

// Unsynced reports whether a cache of the item's namespace has not synced.
func (g *gate) Unsynced(request Request, wake func()) bool {
	return request.Namespace != "" && g.unsynced.await(request.Namespace, wake)
}

// Idle reports whether nothing is known that the item would have to wait for.
func (g *gate) Idle(request Request) bool {
	return g.unsynced.idle() && (g.stale || g.writes.Idle(g.item(request), g.kind))
}

// Delay holds back what triggers itself.
func (g *gate) Delay(request Request, now time.Time) time.Duration {
	return g.loops.Delay(g.controller, request, now)
}

// Doubts reports whether nobody knows what became of an earlier write.
func (g *gate) Doubts(request Request) bool { return !g.stale && g.writes.Doubts(g.item(request)) }

// Settle asks the API server.
func (g *gate) Settle(ctx context.Context, request Request) error {
	return g.writes.Settle(ctx, g.item(request), g.list)
}

// Await reports whether the item has to wait.
func (g *gate) Await(request Request, wake func()) bool {
	return !g.stale && g.writes.Await(g.item(request), g.kind, wake)
}

// GiveUp drops what the item waits for.
func (g *gate) GiveUp(request Request) []string {
	item := g.item(request)
	return append(g.writes.GiveUp(item, g.kind), g.writes.GiveUpDoubts(item)...)
}

// listMetadata returns a function that lists the metadata of a collection, by its path. client makes the HTTP
// client, once.
func listMetadata(config *rest.Config, client func() (*http.Client, error)) written.List {
	return func(ctx context.Context, collection string, query url.Values) ([]metav1.PartialObjectMetadata, error) {
		client, err := client()
		if err != nil {
			return nil, err
		}
		host, _, err := rest.DefaultServerUrlFor(config)
		if err != nil {
			return nil, err
		}
		address := url.URL{Scheme: host.Scheme, Host: host.Host, Path: collection, RawQuery: query.Encode()}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		return decodeList(resp)
	}
}

func decodeList(resp *http.Response) ([]metav1.PartialObjectMetadata, error) {
	if resp.StatusCode != http.StatusOK {
		failed := metav1.Status{Message: fmt.Sprintf("the API server answered %s", resp.Status), Code: int32(resp.StatusCode)}
		_ = json.NewDecoder(resp.Body).Decode(&failed) // the answer may say more
		return nil, &apierrors.StatusError{ErrStatus: failed}
	}
	var list metav1.PartialObjectMetadataList
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return nil, err
	}
	return list.Items, nil
}
