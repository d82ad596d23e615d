#!/bin/bash
# SPDX-License-Identifier: MIT
# docfiles.sh: what the documents say of the code is so: every file of dmm/ and
# vmm/ has its line, and links lead somewhere.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

# In the table of docs/architecture.md: `X.c`, or `X` for X.c and X.h.
files() {
	local file base status=0
	for file in {dmm,vmm}/*.[ch]; do
		base=$(basename "$file")
		grep -qE "^\| \`(${base%.[ch]}|$base)\` " docs/architecture.md &&
			continue
		echo "docs/architecture.md has no line for $file"
		status=1
	done
	return $status
}

links() {
	local page link status=0
	for page in README.md docs/*.md; do
		for link in $(grep -oE '\]\([^)#]+' "$page" | cut -c 3-); do
			case $link in http*) continue ;; esac
			[ -e "$(dirname "$page")/$link" ] && continue
			echo "$page: there is no $link"
			status=1
		done
	done
	return $status
}

# Every key that the machine file takes is in its reference.
keys() {
	local key status=0
	for key in $(sed -nE '/keys\[\] = \{/,/\}/p' vmm/machine.c \
		vmm/backend_qtest.c vmm/net_user.c vmm/net_dgram.c |
		grep -oE '"[A-Za-z]+"' | tr -d '"' | sort -u); do
		grep -qE "\`[^\`]*\b$key\b[^\`]*\`" docs/machine.md && continue
		echo "docs/machine.md does not say what $key is"
		status=1
	done
	return $status
}

# Every message about a model begins with its kind, and every kind is used.
kinds() {
	local kind status=0
	awk '/diag_(error|warning)\(/ { call = FILENAME ":" FNR; text = "" }
	     call { text = text $0 }
	     call && /"/ {
		if (text !~ /DIAG_[A-Z_]+[ \t]*"/ && text !~ /"%s: %s"/)
			print call " has no kind"
		call = ""
	     }' $(ls dmm/*.c | grep -v dmm/diag.c) | grep . && status=1
	for kind in $(grep -oE '^#define DIAG_[A-Z_]+ ' dmm/kinds.h |
		awk '{ print $2 }'); do
		[ $kind = DIAG_OTHER ] || grep -qw $kind dmm/*.c && continue
		echo "no message is a $kind"
		status=1
	done
	return $status
}

try docs-files files
try docs-kinds kinds
try docs-links links
try docs-machine-keys keys
tap_end
