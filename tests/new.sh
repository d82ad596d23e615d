#!/bin/bash
# SPDX-License-Identifier: MIT
# new.sh: vpio model new: skeletons, word by word, and each is a model.
#
#   tests/new.sh            each case against tests/model-new/NAME.ok
#   tests/new.sh --update   write them anew, to be read and kept
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
update=
[ "${1-}" = --update ] && update=yes

# Names of parts are of this machine's pci.ids, which changes.
say() {
	timeout 60 "$VPIO" model new "$@" 2>&1 |
		sed -E '2s/^# .*: the beginning/# NAME: the beginning/'
}

skeleton() { # NAME ARGUMENT...
	local name=$1 ok=tests/model-new/$1.ok
	shift
	if [ "$update" ]; then
		say "$@" >"$ok"
		return
	fi
	try "new-$name" diff -u "$ok" <(say "$@")
}

# What comes of it passes, and is not written over.
is_model() { # NAME ARGUMENT...
	local file=$tmp/$1.yaml
	shift
	"$VPIO" model new "$@" -o "$file" && "$VPIO" model check "$file" &&
		"$VPIO" model explain "$file" &&
		! "$VPIO" model new "$@" -o "$file"
}

dump=tests/data/machine.lspci
caps=tests/data/caps.lspci
svd=tests/corpus/svd/part.svd
skeleton part --dump $dump --pci 10ec:8029
skeleton address --dump $dump --pci 0000:00:04.0
skeleton caps --dump $caps
skeleton svd --svd $svd
skeleton both --svd $svd --dump $caps
skeleton several --dump $dump
skeleton no-part --dump $dump --pci 1234:5678
skeleton bad-pci --pci eth0
skeleton nothing
skeleton word nic.yaml
skeleton bomb --svd tests/corpus/svd/bomb.svd
skeleton external --svd tests/corpus/svd/external.svd
skeleton deep --svd tests/corpus/svd/deep.svd
skeleton other --svd tests/corpus/svd/other.svd
skeleton cut --svd tests/corpus/svd/cut.svd
skeleton no-file --svd tests/corpus/svd/none.svd
if [ ! "$update" ]; then
	try new-is-model-part is_model part --dump $dump --pci 10ec:8029
	try new-is-model-caps is_model caps --dump $caps
	try new-is-model-svd is_model svd --svd $svd
	try new-is-model-both is_model both --svd $svd --dump $caps
fi
tap_end
