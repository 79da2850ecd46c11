#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Lints Go modules: lint.sh [FOLDER]..., default the root module. The first time, golangci-lint
# is built from the version in go.mod beside this file, which takes minutes; the binary is kept
# in the user's cache. (`go tool` would link it anew whenever Go's own cache has been trimmed.)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
repo=$(cd "$here/../.." && pwd -P)
export GOWORK=off

package=github.com/golangci/golangci-lint/v2
version=$(go list -C "$here" -m -f '{{.Version}}' "$package")
# The Go version belongs to the key: a linter cannot read code newer than the Go that built it.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lanyard/lint
linter=$cache/golangci-lint-$version-$(go env GOVERSION)-$(go env GOHOSTOS)-$(go env GOHOSTARCH)

if [ ! -x "$linter" ]; then
	echo "building golangci-lint $version, once, into $cache (takes some minutes)" >&2
	mkdir -p "$cache"
	# Built beside its place and then renamed, so that a build that breaks off leaves nothing.
	partial=$(mktemp -d "$cache/partial.XXXXXX")
	trap 'rm -rf "$partial"' EXIT
	GOOS='' GOARCH='' CGO_ENABLED=0 go build -C "$here" -o "$partial/" "$package/cmd/golangci-lint"
	mv "$partial/golangci-lint" "$linter"
	rmdir "$partial"
fi

status=0
for module in "${@:-.}"; do
	echo "lint $module" >&2
	# Two linters at once would wait for each other at a lock and give up after a while.
	(cd "$repo/$module" && "$linter" run --allow-serial-runners --config "$repo/.golangci.yml" ./...) || status=1
done
exit "$status"
