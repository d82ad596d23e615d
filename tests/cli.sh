#!/bin/bash
# SPDX-License-Identifier: MIT
# cli.sh: the command line: help, wrong words, exit statuses, vpio list, bind.
cd "$(dirname "$0")/.." || exit 2
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Run vpio with ARGUMENTS (the fourth on): the exit status must be STATUS and
# all it says must have WHAT (a pattern) in it, on standard output or error.
says() { # STATUS STREAM WHAT ARGUMENT...
	local want=$1 stream=$2 what=$3 status
	shift 3
	timeout 60 "$VPIO" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	echo "status $status"
	cat "$tmp/out" "$tmp/err"
	[ "$status" = "$want" ] || return 1
	[ -z "$what" ] || grep -qE -- "$what" "$tmp/$stream"
}

lines_fit() { # WIDTH ARGUMENT...
	local width=$1
	shift
	! "$VPIO" "$@" | awk -v w="$width" 'length > w' | grep .
}

try cli-no-command says 2 err 'usage: vpio'
try cli-help says 0 out 'usage: vpio' --help
try cli-help-fits lines_fit 80 --help
try cli-version says 0 out '^vpio [0-9]' --version
for command in run list model trace replay calibrate; do
	try "cli-help-$command" says 0 out "usage: vpio $command" \
		help "$command"
	try "cli-$command-help" says 0 out "usage: vpio $command" \
		"$command" --help
	try "cli-$command-help-fits" lines_fit 80 "$command" --help
	try "cli-$command-option" says 2 err 'unknown option --hepl; did you mean --help' \
		"$command" --hepl
	try "cli-$command-letter" says 2 err 'unknown option -Z' "$command" -Z
done
try cli-command says 2 err 'no command "lsit"; did you mean "list"' lsit
try cli-help-of-nothing says 2 err 'no command "zzzzzzzz"' help zzzzzzzz
try cli-option-first says 2 err 'after the command' --json list

try cli-run-nothing says 2 err 'which machine' run
try cli-run-no-file says 2 err 'cannot open .*no-such.yaml: No such file' \
	run "$tmp/no-such.yaml"
try cli-run-directory says 2 err 'cannot read .*: Is a directory' run "$tmp"
try cli-run-value says 2 err '--json needs a value' run --json
try cli-run-no-value says 2 err '--check takes no value' run --check=1
try cli-run-number says 2 err '--guests 0: expected a number from 1' \
	run --guests 0 x.yaml
try cli-run-negative says 2 err '--guests -1: expected a number' \
	run --guests=-1 x.yaml
try cli-run-how says 2 err 'did you mean "lease"' run --how laese x.yaml
try cli-run-timeout says 2 err '--timeout' run --timeout soon x.yaml
try cli-run-escape says 2 err '--escape .1: expected a key, such as' \
	run --escape '^1' x.yaml
try cli-run-two says 2 err 'one machine file' run a.yaml b.yaml
try cli-run-both says 2 err 'not both' run a.yaml --guest a=b
try cli-run-flags says 0 out '' run --check \
	--device nic0=card,backend=sim,network=user \
	--guest alpha=a.elf,mac=52:54:00:00:00:0a --guests 4
try cli-run-flag says 2 err 'not NAME=VALUE' run --check --guest alpha
try cli-run-flag-key says 2 err 'did you mean "memory"' \
	run --check --guest alpha=a.elf,memroy=32M
try cli-run-too-many says 2 err 'would use' \
	run --check --guests 17 --device n=card,backend=sim \
	--guest alpha=a.elf,mac=52:54:00:00:00:0a
head -c 20000000 /dev/zero | tr '\0' '[' >"$tmp/big.yaml"
try cli-run-too-big says 2 err 'longer than' run "$tmp/big.yaml"
head -c 10485760 /dev/zero | tr '\0' '[' >"$tmp/nested.yaml"
try cli-run-nested says 2 err 'nested.yaml.*: error' run "$tmp/nested.yaml"
try cli-model-nested says 2 err 'nested.yaml.*: error' \
	model check "$tmp/nested.yaml"
head -c 1000000 "$tmp/nested.yaml" >"$tmp/deep.yaml"
try cli-run-deep says 2 err 'deep.yaml:1:[0-9]+: error' run "$tmp/deep.yaml"

try cli-model-verb says 2 err 'did you mean "check"' model chekc x.yaml
try cli-model-nothing says 2 err 'which model' model check
try cli-model-none says 2 err 'there is no model "no-such"' \
	model check no-such
try cli-model-near says 2 err '^vpio: error: there is no model "e100".*did you mean "e1000"' \
	model check e100
try cli-run-no-model says 2 err '^vpio: error: there is no model "zzzz".*set .VPIO_MODELS' \
	run --device n=zzzz,backend=sim,network=none --guest a=/dev/null
try cli-run-tap-word says 2 err 'write \{ tap: NAME \}, for example' \
	run --check --device n=card,backend=sim,network=tap0 --guest a=b
try cli-model-no-file says 2 err 'cannot open' model check ./no-such.yaml

try cli-model-json says 2 out '"ruleId": "unknown-name"' \
	model check --json tests/model-fail/names.yaml
try cli-model-json-quiet test -z "$("$VPIO" model check --json \
	tests/model-fail/names.yaml 2>&1 >/dev/null)"
try cli-model-json-good says 0 out '"results": \[\]' \
	model check --json models/*.yaml
try cli-model-json-fix says 2 out '"text": "registers"' \
	model check --json tests/model-fail/top-unknown.yaml
try cli-model-json-verify says 0 out '"results": \[\]' \
	model verify --json models/ne2k-pci.yaml
try cli-model-json-graph says 2 err 'model graph takes no --json' \
	model graph --json models/ne2k-pci.yaml

# ---- list ----

dump=tests/data/machine.lspci
try cli-list says 0 out '^address ' list
try cli-list-json says 0 out '"devices"' list --json
try cli-list-json-parses python3 -c 'import json,subprocess,sys
json.loads(subprocess.check_output(sys.argv[1:]))' "$VPIO" list --json
try cli-list-dump says 0 out '^0000:00:03.0 +10ec:8029 ' list --dump $dump
try cli-list-dump-json says 0 out '"device": 32809' list --json --dump $dump
try cli-list-no-dump says 2 err 'cannot open' list --dump "$tmp/none"
try cli-list-no-advice test -z "$("$VPIO" list --dump $dump |
	grep 'model new')"
head -17 $dump >"$tmp/bridge.lspci"
try cli-list-no-match says 0 out 'No device here has a model: vpio model new' \
	list --dump "$tmp/bridge.lspci"
nowhere() { # where no model is to be found
	local vpio said
	vpio=$(realpath "$VPIO")
	said=$(cd "$tmp" && env -u VPIO_MODELS "$vpio" list --dump bridge.lspci)
	echo "$said"
	[ -e /usr/local/share/vpio/models ] ||
		grep -q 'There is no model in .VPIO_MODELS' <<<"$said"
}
try cli-list-no-models nowhere
try cli-list-word says 2 err 'unexpected "word"' list word

# ---- bind ----

none=ffff:ff:1f.7
try cli-bind-nothing says 2 err 'which device' bind
try cli-bind-bad says 2 err '"eth0" is no PCI address' bind eth0
try cli-bind-none says 2 err "there is no PCI device $none" bind $none
try cli-bind-two says 2 err 'one device, not' bind $none $none
try cli-unbind-none says 2 err "there is no PCI device $none" unbind $none
try cli-vfio-none says 2 err "nic: there is no PCI device $none" run \
	--device "nic=ne2k-pci,backend=vfio,address=$none" \
	--guest "a=build/guests/none"
echo 'device: 1' >"$tmp/bad.yaml"
export VPIO_MODELS=$tmp
try cli-list-bad-model says 0 err 'bad.yaml is not a model' list --dump $dump
# What verify finds, a replay shows: the guest is sending, then sends again.
sed 's/- { on: write CR, when: value.TXP && !value.STP, then: hold }//' \
	models/ne2k-pci.yaml >"$tmp/twice.yaml"
try cli-verify-trace says 1 out 'twice.pcapng: the way there; see it: vpio replay' \
	model verify --trace "$tmp/twice.pcapng" "$tmp/twice.yaml"
try cli-verify-replay says 0 out 'tx: idle to busy' \
	replay --timeline "$tmp/twice.pcapng"
try cli-verify-nowhere says 2 err 'cannot write /no/such' \
	model verify --trace /no/such/x "$tmp/twice.yaml"
try cli-explain-costs says 0 out '^forward .*us' \
	model explain --costs tests/corpus/whatif/costs.yaml models/ne2k-pci.yaml
try cli-explain-costs-bad says 2 err 'cost' \
	model explain --costs tests/corpus/whatif/bad.yaml models/ne2k-pci.yaml
tap_end
