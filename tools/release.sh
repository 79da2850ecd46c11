#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Tries a release and changes nothing: release.sh VERSION
#
# It checks the version, the checkout and the changelog, compares the public packages with the newest
# release, and makes a module proxy of the modules as they would be released. From that an empty module gets
# each of them, and builds and tests what it got. At the end it prints the commands that make the release.
set -euo pipefail

version=${1:-}
fail() {
	echo "release: $1" >&2
	exit 1
}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
	fail "the version is \"$version\": say one such as make release VERSION=v0.2.0"
cd "$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)"
export GOWORK=off

# All that is wrong is said at once.
problems=()
[ -z "$(git status --porcelain)" ] || problems+=("the checkout has changes that are not committed: commit or remove them")
git rev-parse --quiet --verify "refs/tags/$version" >/dev/null &&
	problems+=("the tag $version is there already: choose a newer version")
newest=$(git tag --list 'v[0-9]*' | sort -V | tail -n 1)
if [ -n "$newest" ] && [ "$(printf '%s\n' "$newest" "$version" | sort -V | tail -n 1)" = "$newest" ]; then
	problems+=("$version is not newer than $newest")
fi
grep -q "^## \[${version#v}\]" CHANGELOG.md ||
	problems+=("CHANGELOG.md has no heading \"## [${version#v}]\": give \"Unreleased\" that name and a date")
tools/apidiff.sh || problems+=("the public packages break $newest: see above")
for problem in "${problems[@]}"; do
	echo "release: $problem" >&2
done

go test -C tools ./internal/modules -count=1 -timeout 45m -run Release -version "$version" ||
	problems+=("the modules cannot be had from a module proxy")
if [ ${#problems[@]} -gt 0 ]; then
	fail "$version cannot be released yet: ${#problems[@]} problems, see above"
fi

cat <<-EOF
	$version can be released. Nothing was changed. These commands release it:

	tags=\$(tools/require.sh $version)
	git commit --all --message 'Release $version'
	for tag in \$tags; do git tag --annotate --message "\$tag" "\$tag"; done
	git push --atomic origin HEAD \$tags
EOF
