#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# Puts the licence line on each file that is written by hand and has none: Go files, shell scripts,
# Makefile, Dockerfile and YAML. With --check it changes nothing and fails if there is such a file.
# Left alone are generated files, and what is in a testdata folder: tests name its lines by number.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$repo"
git rev-parse --git-dir >/dev/null # the list of files below is git's; without it there is no check

line='SPDX-License-Identifier: Apache-2.0'
# Files that are generated and do not say so.
generated='^config/crd/bases/'

# Sets first and second to the first two lines of a file. Here, and below, no process is started for a file
# that is in order: there are more than a thousand.
read_begin() {
	first='' second=''
	{ IFS= read -r first && IFS= read -r second; } <"$1" || true
}

# Sets comment to the comment sign of a file's language; to nothing if the file gets no line.
set_comment() {
	comment=
	case ${1##*/} in
	*.go) comment='//' ;;
	*.sh | *.yml | *.yaml | Makefile | Dockerfile) comment='#' ;;
	*.*) ;;
	*) # A script without an ending, such as .ci/run.
		if [[ $first =~ ^\#!.*[^a-z](ba)?sh$ ]]; then comment='#'; fi ;;
	esac
}

# Reports whether the file says before its package clause that it is generated.
is_generated() {
	[[ $1 == *.go ]] && sed '/^package /q' "$1" | grep -qE '^// Code generated .* DO NOT EDIT\.$'
}

# Reports whether the line is where fix puts it.
has_line() {
	if [[ $first == '#!'* ]]; then [ "$second" = "$1" ]; else [ "$first" = "$1" ]; fi
}

# Puts the line where it belongs: first, or after the line that names a script's interpreter, and
# before an empty line, so that it is no part of a package's documentation.
fix() {
	local file=$1 text=$2 copy
	copy=$(mktemp)
	{
		if head -n 1 "$file" | grep -q '^#!'; then
			head -n 1 "$file"
			printf '%s\n\n' "$text"
			tail -n +2 "$file"
		else
			printf '%s\n\n' "$text"
			cat "$file"
		fi
	} >"$copy"
	cat "$copy" >"$file" # keeps the mode
	rm "$copy"
}

check=
case ${1:-} in
--check) check=1; shift ;;
-*) echo "usage: spdx.sh [--check] [PATH]..." >&2; exit 2 ;;
esac

missing=0
# Also new files that git does not have yet; not those that it ignores.
while IFS= read -r -d '' file; do
	[ -f "$file" ] && [ ! -L "$file" ] || continue
	[[ ! /$file =~ /testdata/ && ! $file =~ $generated ]] || continue
	read_begin "$file"
	set_comment "$file"
	[ -n "$comment" ] || continue
	if has_line "$comment $line"; then continue; fi
	if is_generated "$file"; then continue; fi
	missing=1
	if [ -n "$check" ]; then
		echo "$file: no line '$comment $line' at its begin" >&2
	else
		fix "$file" "$comment $line"
	fi
done < <(git ls-files -z --cached --others --exclude-standard -- "${@:-.}")

if [ -n "$check" ] && [ "$missing" = 1 ]; then
	echo "files without the licence line: run 'make spdx' and commit what it changes" >&2
	exit 1
fi
