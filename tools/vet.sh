#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Builds ctxvet and runs it in each module named (as folders of the repository).
set -euo pipefail

cd "$(dirname "$0")/.."
export GOWORK=off

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -C tools -o "$bin/ctxvet" ./cmd/ctxvet

failed=0
for module in "${@:-.}"; do
	go vet -C "$module" -vettool="$bin/ctxvet" -ctxfield.all -ctxgo.all ./... || failed=1
done
exit $failed
