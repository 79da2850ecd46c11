// Package sum is changed.
package sum

// Positive adds up the numbers that are greater than zero.
func Positive(numbers ...int) (sum int) {
	for _, n := range numbers {
		if n > 0 {
			sum += n
		}
	}
	calls++
	return sum
}

// calls is what no test looks at.
var calls int

// Double is what only another package's test looks at.
func Double(n int) int {
	n *= 2
	return n
}
