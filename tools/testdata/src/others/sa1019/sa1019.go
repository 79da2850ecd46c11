package sa1019

import "example.com/old"

func deprecated() {
	old.Ping() // want `old.Ping is deprecated: use PingWithContext`
	old.Pong() // not about contexts

	old.Ping() //ctxvet:ok SA1019: until the server has it
}
