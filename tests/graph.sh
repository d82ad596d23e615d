#!/bin/bash
# SPDX-License-Identifier: MIT
# graph.sh: vpio model graph: DOT as the kernel's tools read it, and SVG.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

machines() { # MODEL
	awk '/^[a-z]/ { on = /^machines:/; next }
	     on && match($0, /^  [A-Za-z0-9_]+:/) {
		print substr($0, 3, RLENGTH - 3) }' "$1"
}

dialect() { # MODEL MACHINE
	"$VPIO" model graph "$1" --machine "$2" -o "$tmp/$2.dot" &&
		python3 tests/graph.py "$tmp/$2.dot"
}

# What the graph says is what the model says.
is() { # WHAT MODEL MACHINE
	local said
	said=$(dialect "$2" "$3") || return 1
	echo "$said"
	[ "$said" = "$1" ]
}

svg() { # MODEL
	"$VPIO" model graph --svg "$1" -o "$tmp/all.svg" &&
		python3 - "$tmp/all.svg" "$1" <<-'END'
		import sys, xml.dom.minidom
		text = open(sys.argv[1]).read()
		assert "<svg" in text and "cluster" in text, text
		xml.dom.minidom.parseString(text)
		END
}

no_graphviz() {
	local said status
	said=$(PATH=$tmp/none "$VPIO" model graph --svg models/ne2k-pci.yaml 2>&1)
	status=$?
	echo "$said"
	[ $status = 2 ] && grep -q 'needs graphviz' <<<"$said"
}

no_machine() {
	local said status
	said=$("$VPIO" model graph models/ne2k-pci.yaml --machine none 2>&1)
	status=$?
	echo "$said"
	[ $status = 2 ] && grep -q 'has no machine "none"' <<<"$said"
}

cat >"$tmp/odd.yaml" <<-'END'
	device: { name: odd }
	spaces: { io: { kind: io, bar: 0, size: 8 } }
	registers: { "A B": { at: io+0 }, C: { at: io+1 } }
	machines:
	  m "1":
	    at-rest: [ { on: access C, to: 'go on' }, { on: poll, when: C } ]
	    go on: [ { on: write C, when: value == 1, to: at-rest }, { on: write C, do: reset } ]
	END

for model in models/*.yaml; do
	for machine in $(machines "$model"); do
		try "graph-$(basename "$model" .yaml)-$machine" \
			dialect "$model" "$machine"
	done
	if command -v dot >/dev/null; then
		try "graph-svg-$(basename "$model" .yaml)" svg "$model"
	else
		skip "graph-svg-$(basename "$model" .yaml)" "no graphviz"
	fi
done
try graph-is is 'idle busy | poll write_CR write_TBCR write_TPSR | 5' \
	models/ne2k-pci.yaml tx
try graph-odd is 'at_rest go_on | poll read_C write_C_1 write_C_2 | 5' \
	"$tmp/odd.yaml" 'm "1"'
try graph-no-machine no_machine
try graph-no-graphviz no_graphviz
tap_end
