#!/bin/bash
# SPDX-License-Identifier: MIT
# golden.sh: bad files and what is said about them, word by word.
#
#   tests/golden.sh            each DIR/X.yaml against DIR/X.ok
#   tests/golden.sh --update   write the .ok files anew, to be read and kept
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh
case $VPIO in
/*) ;;
*) VPIO=$PWD/$VPIO ;;
esac

# By their bare names, so that messages do not depend on where the tree is.
say() { # DIR FILE COMMAND...
	local dir=$1 file=$2
	shift 2
	(cd "$dir" && timeout 60 "$VPIO" "$@" "$file" 2>&1 >/dev/null)
}

golden() { # DIR COMMAND...
	local dir=$1 file name said status
	shift
	for file in "$dir"/*.yaml; do
		[ -e "$file" ] || continue
		name=$(basename "$dir")/$(basename "$file" .yaml)
		said=$(say "$dir" "$(basename "$file")" "$@")
		status=$?
		if [ "$update" ]; then
			printf '%s\n' "$said" >"${file%.yaml}.ok"
			continue
		fi
		if [ $status != 2 ]; then
			not_ok "$name" "exit status $status, not 2"
			sed 's/^/# /' <<<"$said"
		elif ! [ -e "${file%.yaml}.ok" ]; then
			not_ok "$name" "no ${file%.yaml}.ok"
		else
			try "$name" diff -u "${file%.yaml}.ok" - <<<"$said"
		fi
	done
}

update=
[ "${1-}" = --update ] && update=yes
golden tests/model-fail model check
golden tests/machine-fail run --check
tap_end
