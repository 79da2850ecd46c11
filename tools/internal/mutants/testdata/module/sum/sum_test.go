package sum

import "testing"

func TestPositive(t *testing.T) {
	if Positive(1, -2, 3) != 4 {
		t.Error("it is no sum")
	}
}
