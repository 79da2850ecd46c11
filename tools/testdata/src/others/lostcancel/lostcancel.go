package lostcancel

import "context"

func lost(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx) // want `the cancel function is not used on all paths`
	if ctx.Err() != nil {
		cancel()
	}
	return ctx // want `this return statement may be reached without using the cancel var`
}

func answered(ctx context.Context) context.Context {
	//ctxvet:ok lostcancel: the process ends with it
	ctx, cancel := context.WithCancel(ctx)
	if ctx.Err() != nil {
		cancel()
	}
	//ctxvet:ok lostcancel: the same finding's other end
	return ctx
}
