#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Runs each fuzz target of the modules for a time, and keeps the inputs that reached new code beside the target, in
# testdata/fuzz, where `go test` runs them.
#
#   tools/fuzz.sh TIME MODULE...

set -euo pipefail

time=$1
shift
cache=$(go env GOCACHE)/fuzz
for module in "$@"; do
	(
		cd "$module"
		# Not every module has some. What go test reads from its standard input would be lost to the loops.
		{ grep -rl --include='*_test.go' '^func Fuzz' . || true; } | sort | while read -r file; do
			# A module does not hold what another module in one of its folders does.
			folder=$(dirname "$file")
			[ "$(go -C "$folder" env GOMOD)" = "$(go env GOMOD)" ] || continue
			package=$(go -C "$folder" list .)
			sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
				echo "fuzz $package $target"
				go -C "$folder" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" . </dev/null
				[ -n "$(ls -A "$cache/$package/$target" 2>/dev/null)" ] || continue
				mkdir -p "$folder/testdata/fuzz/$target"
				cp "$cache/$package/$target"/* "$folder/testdata/fuzz/$target/"
			done
		done
	)
done
