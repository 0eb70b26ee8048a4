#!/bin/bash
# The contract between driver and VMM names every key that the VMM's sources name. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
contract=$top/qemu-kvm-backend/proto/vmm-proto.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# keys DIR: those that stand in its sources as they are; not those that are put together.
keys() {
    grep -rhoE --include='*.c' 'vmm_msg_[a-z0-9_]+\([^,;]+, "[a-z0-9-]+"' "$1" | grep -oE '"[a-z0-9-]+"$' | tr -d '"' | sort -u
}

# missing DIR: the keys of its sources that the contract has not.
missing() { keys "$1" | comm -23 - <(grep -oE '[a-z0-9-]+' "$contract" | sort -u); }

check() {
    if [ "$3" = "$4" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        echo "# ${3//$'\n'/$'\n# '}"
    fi
}

echo 1..2
check 1 "the contract has the keys that are read and written" "$(missing "$top/qemu-kvm-backend")" ''

printf '%s\n' 'vmm_msg_get_bool(params, "read-only", &is);' 'vmm_msg_take_fd(params, "no-such-key", &fd);' >"$work/bad.c"
check 2 "one that it has not is seen" "$(missing "$work")" no-such-key
