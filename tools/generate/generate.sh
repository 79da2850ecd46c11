#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Regenerates everything that is made from api/. Run it as `make generate`; with --check
# (`make verify-generated`) it works on a copy and fails when the copy differs from the tree.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
root=$repo
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "${1:-}" = --check ]; then
	root=$work/tree
	mkdir -p "$root"
	cp -r "$repo"/{go.mod,go.sum,api} "$root/"
fi

generated=(clientset/versioned clientset/deprecated applyconfiguration informers listers config/crd/bases)
module=github.com/lanyard-k8s/lanyard
api=$module/api/wardle/v1beta1
header=$repo/tools/generate/boilerplate.go.txt

GOWORK=off go build -C "$repo/tools/generate" -o "$work/bin/" tool
GOWORK=off go build -C "$repo/tools" -o "$work/bin/" ./deprecated-gen
cd "$root"
rm -rf "${generated[@]}" api/wardle/v1beta1/zz_generated.deepcopy.go

gen() {
	local tool=$1
	shift
	GOWORK=off "$work/bin/$tool" --go-header-file "$header" "$@"
}
gen deepcopy-gen --output-file zz_generated.deepcopy.go "$api"
gen applyconfiguration-gen --output-dir applyconfiguration --output-pkg "$module/applyconfiguration" "$api"
gen client-gen --output-dir clientset --output-pkg "$module/clientset" --clientset-name versioned \
	--apply-configuration-package "$module/applyconfiguration" \
	--input-base "$module/api" --input wardle/v1beta1
gen deprecated-gen --clientset "$module/clientset/versioned" \
	--output-dir clientset/deprecated --output-pkg "$module/clientset/deprecated"
gen lister-gen --output-dir listers --output-pkg "$module/listers" "$api"
gen informer-gen --output-dir informers --output-pkg "$module/informers" \
	--versioned-clientset-package "$module/clientset/versioned" --listers-package "$module/listers" "$api"
GOWORK=off "$work/bin/controller-gen" crd paths=./api/... output:crd:dir=config/crd/bases

if [ "$root" != "$repo" ]; then
	for path in "${generated[@]}" api; do
		diff -r "$repo/$path" "$root/$path" || {
			echo "generated files are out of date: run 'make generate' and commit what it changes" >&2
			exit 1
		}
	done
	echo "generated files are up to date"
fi
