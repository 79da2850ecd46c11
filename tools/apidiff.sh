#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Compares the public packages with those of an earlier state: apidiff.sh [REF]. Without REF this
# is the newest release tag that HEAD descends from, pre-releases left out; without a tag there is
# nothing to compare with. Fails if a change is incompatible and not in tools/api/accepted.txt.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$repo"
export GOWORK=off

base=${1:-$(git describe --tags --abbrev=0 --match 'v[0-9]*' --exclude '*-*' 2>/dev/null || true)}
if [ -z "$base" ]; then
	echo 'apidiff: there is no release tag yet, so there is nothing to compare with' >&2
	echo 'apidiff: compare with any other state by: make apidiff BASE=<git ref>' >&2
	exit 0
fi

if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
	echo "apidiff: $base is no commit, branch or tag of this repository" >&2
	exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An index of its own: neither the index of the checkout nor a list of work trees is changed.
GIT_INDEX_FILE=$work/index git read-tree "$base^{commit}"
GIT_INDEX_FILE=$work/index git checkout-index --all --prefix="$work/base/"

echo "apidiff: comparing with $base" >&2
go build -C tools -o "$work/apidiff" ./cmd/apidiff
"$work/apidiff" -old "$work/base" -new "$repo" -accepted tools/api/accepted.txt ./controller/...
