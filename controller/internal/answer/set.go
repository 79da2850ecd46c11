// SPDX-License-Identifier: Apache-2.0

package answer

// set sets a field, without a copy if it has the value already.
func set[S ~string, V string | []byte](field *S, value V) {
	if string(*field) != string(value) {
		*field = S(value)
	}
}
