// Package lib has functions with siblings.
package lib

import "context"

func Refresh(n int)                                 {}
func RefreshWithContext(ctx context.Context, n int) {}

type Client struct{}

func (c *Client) Get(name string) (int, error)                             { return 0, nil }
func (c *Client) GetContext(ctx context.Context, name string) (int, error) { return 0, nil }
func (c *Client) Ping() error                                              { return nil }
func (c *Client) PingWithContext(ctx context.Context) error                { return nil }

// Close's namesake has another signature.
func (c *Client) Close()                                           {}
func (c *Client) CloseWithContext(ctx context.Context, force bool) {}
