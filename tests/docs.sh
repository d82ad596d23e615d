#!/bin/bash
# SPDX-License-Identifier: MIT
# docs.sh: the models in docs/ are models: each YAML block that begins with
# "# model: NAME" is checked, verified and tested.  Then tests/schema.py, and
# the tables of keys by tests/reference.py.
#
#   tests/docs.sh --update   write these tables anew
#
# Environment: VPIO (build/vpio).
set -euo pipefail
cd "$(dirname "$0")/.."
VPIO=${VPIO:-build/vpio}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

awk -v dir="$tmp" '
	/^```/ { file = ""; fenced = !fenced; next }
	fenced && /^# model: / { file = dir "/" $3 ".yaml" }
	file { print > file }' docs/*.md

# The tables of keys, from the schema and these models.
models=(models/*.yaml "$tmp"/*.yaml)
if [ "${1-}" = --update ]; then
	exec tests/reference.py --update "${models[@]}"
fi

status=0
for file in "$tmp"/*.yaml; do
	name=docs-model-$(basename "$file" .yaml)
	if "$VPIO" model check "$file" >"$tmp/log" 2>&1 &&
		"$VPIO" model verify "$file" >>"$tmp/log" 2>&1 &&
		"$VPIO" model test "$file" >>"$tmp/log" 2>&1 &&
		"$VPIO" model fmt --check "$file" >>"$tmp/log" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/    /' "$tmp/log"
		status=1
	fi
done

# Both sides of the schema, and of what is said in bad files.
VPIO=$VPIO tests/schema.py "${models[@]}" || status=1
tests/reference.py "${models[@]}" || status=1
exit $status
