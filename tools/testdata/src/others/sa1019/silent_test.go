package sa1019

import (
	"testing"

	"example.com/old"
)

func TestPing(t *testing.T) { old.Ping() }
