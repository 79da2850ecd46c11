package ctxsibling

import (
	"context"
	"log/slog"

	"example.com/lib"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
)

func noContext(c *lib.Client) error { return c.Ping() }

func dynamic(ctx context.Context, d cache.Dynamic) { d.Start(ctx.Done()) }

func standard(ctx context.Context) { slog.Info("noctx has these") }

func other(ctx context.Context, c *lib.Client) { c.Close() }

type wrapped struct{ c *lib.Client }

func (w wrapped) PingWithContext(ctx context.Context) error { return w.c.Ping() }

func cleanup(ctx context.Context, c *lib.Client) error {
	//ctxvet:ok ctxsibling: a ping at the end
	return c.Ping()
}

func started(ctx context.Context, g *wait.Group) {
	g.Start(func() { standard(ctx) })
}
