package noctx

import (
	"context"
	"net/http"
)

func get(ctx context.Context) {
	http.Get("http://example.com") // want `net/http.Get must not be called`
}

// Here there is no context to pass.
func none() { http.Get("http://example.com") }

func answered(ctx context.Context) {
	http.Get("http://example.com") //ctxvet:ok noctx: the client has a time limit of its own
}
