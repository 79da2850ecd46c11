#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Sets the version by which the modules of this repository require each other: require.sh VERSION
#
# A replace directive holds in its own module only. Whoever requires the module test gets the others
# by the versions that its go.mod names, so these have to be versions that a module proxy can serve:
# a release, or the pseudo-version of a commit on the main branch. In the checkout, replace directives
# have the modules use each other as they are.
#
# For a release, run it with the new version, commit, and set on that commit the tags that it prints,
# one for each module.
set -euo pipefail

version=${1:-}
if ! [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
	echo 'usage: require.sh VERSION, such as v0.2.0' >&2
	exit 2
fi
cd "$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)"
export GOWORK=off

path=$(go mod edit -json | sed -n 's/.*"Path": "\(.*\)".*/\1/p' | head -n 1)
while read -r file; do
	for required in $(grep -oE "^(require)?[[:space:]]+$path(/[^ ]+)? v" "$file" | grep -oE "$path[^ ]*" | sort -u); do
		go mod edit -require="$required@$version" "$file"
	done
	[[ $version =~ -[0-9]{14}-[0-9a-f]{12}$ ]] && continue # a commit has no tags
	folder=$(dirname "$file")
	if [ "$folder" = . ]; then echo "$version"; else echo "$folder/$version"; fi
done < <(git ls-files 'go.mod' '*/go.mod' | grep -v testdata/)
