#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Looks for known vulnerabilities that the code reaches: vulncheck.sh [FOLDER]..., each the folder
# of a module, default the root module. VULNDB names another database, as a URL (https: or file:).
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$repo"
export GOWORK=off

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOOS='' GOARCH='' go build -C tools/lint -o "$work/" golang.org/x/vuln/cmd/govulncheck

failed=()
for module in "${@:-.}"; do
	echo "vulncheck $module" >&2
	# A module without packages of its own pins tools: they are what runs.
	packages=./...
	if [ -z "$(go list -C "$module" ./... 2>/dev/null)" ]; then packages=tool; fi
	"$work/govulncheck" -C "$module" ${VULNDB:+-db "$VULNDB"} "$packages" || failed+=("$module")
done
if [ "${#failed[@]}" -gt 0 ]; then
	echo "vulncheck: not clean, or not checked: ${failed[*]}; see above." >&2
	echo "vulncheck: without a network, give a copy of the database: make vulncheck VULNDB=file:///path" >&2
	exit 1
fi
