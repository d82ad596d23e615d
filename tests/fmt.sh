#!/bin/bash
# SPDX-License-Identifier: MIT
# fmt.sh: vpio model fmt: one layout, comments kept, files as they should be.
#
#   tests/fmt.sh            tests/model-fmt/NAME.yaml against NAME.ok
#   tests/fmt.sh --update   write the .ok anew, to be read and kept
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fmt() {
	timeout 60 "$VPIO" model fmt "$@" 2>&1
}

says() { # STATUS WHAT ARGUMENT...
	local want=$1 what=$2 said status
	shift 2
	said=$(fmt "$@")
	status=$?
	echo "status $status: $said"
	[ $status = "$want" ] && grep -qE -- "$what" <<<"$said"
}

# In place, once; the mode stays, and again changes nothing.
in_place() {
	cp tests/model-fmt/messy.yaml "$tmp/a.yaml"
	chmod 640 "$tmp/a.yaml"
	ln -s a.yaml "$tmp/link.yaml"
	fmt -w "$tmp/link.yaml" || return 1
	[ -L "$tmp/link.yaml" ] && [ "$(stat -c %a "$tmp/a.yaml")" = 640 ] &&
		diff -u tests/model-fmt/messy.ok "$tmp/a.yaml" || return 1
	touch -d 2001-01-01 "$tmp/a.yaml"
	fmt -w "$tmp/a.yaml" && fmt --check "$tmp/a.yaml" &&
		[ "$(stat -c %Y "$tmp/a.yaml")" -lt 1000000000 ]
}

# What is refused stays as it was.
kept() {
	printf 'a: |\n   text\n' >"$tmp/block.yaml"
	cp "$tmp/block.yaml" "$tmp/block.was"
	says 2 'cannot be laid out' -w "$tmp/block.yaml" &&
		cmp "$tmp/block.yaml" "$tmp/block.was"
}

for file in tests/model-fmt/*.yaml; do
	ok=${file%.yaml}.ok
	if [ "${1-}" = --update ]; then
		fmt "$file" >"$ok"
		continue
	fi
	name=$(basename "$file" .yaml)
	try "fmt-$name" diff -u "$ok" <(fmt "$file")
	try "fmt-$name-again" diff -u "$ok" <(fmt - <"$ok")
	try "fmt-$name-check" says 1 "$file" --check "$file"
done
for file in models/*.yaml; do
	try "fmt-model-$(basename "$file" .yaml)" fmt --check "$file"
done
try fmt-in-place in_place
try fmt-kept kept
try fmt-both says 2 'not both' --check -w models/ne2k-pci.yaml
try fmt-stdin says 2 'standard input' -w -
try fmt-no-yaml says 2 'error' tests/model-fail/yaml-brace.yaml
try fmt-no-file says 2 'cannot open' ./none.yaml
tap_end
