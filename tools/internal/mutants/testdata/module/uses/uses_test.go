package uses

import "testing"

func TestFour(t *testing.T) {
	if Four() != 4 {
		t.Error("it is not four")
	}
}
