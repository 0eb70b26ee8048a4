#!/bin/bash
# test-json: each command either tells something, and then as JSON too, or is in the table "json" as one that only does
# something or prints what has a form of its own. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:?}
vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=$work DBUS_SESSION_BUS_ADDRESS=unix:path=$work/none \
    VMCTL_DEFAULT_CONNECT_URI=test:///default
data=$top/tests/cli/data
command -v python3 >/dev/null || { echo "1..0 # SKIP there is no python3" && exit; }

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        sed 's/^/# /' "$work/out" "$work/err"
        echo "not ok $n - $2"
    fi
}

run() { timeout 60 "$vmctl" "$@" >"$work/out" 2>"$work/err" </dev/null; }
is_json() { python3 -c 'import json, sys; json.load(sys.stdin)' <"$work/out" 2>>"$work/err"; }

# tell LINE: runs its commands; the last one tells as JSON.
tell() { run -q "${1//\$data/$data} --output json"; }

# tells LINE: what that prints is JSON, and nothing is complained of.
tells() {
    tell "$1" && is_json && [ ! -s "$work/err" ]
    result $? "$1"
}

# fails LINE TEXT: the test driver has no such thing; the command goes as far as asking for it.
fails() {
    ! tell "$1" && [ ! -s "$work/out" ] && grep -qF -- "$2" "$work/err"
    result $? "$1: $2"
}

# finds LINE: what that prints is JSON, whether this host is to its liking or not.
finds() {
    tell "$1"
    is_json
    result $? "$1"
}

# refuses COMMAND REASON: with any words that it may need, it says that it tells nothing.
refuses() {
    local words
    words=$("$vmctl" help "$1" | sed -n '/^  SYNOPSIS/ { n; s/^ *//; p }' | sed -E 's/\[[^]]*\](\.\.\.)?//g; s/<[^>]*>/1/g; s/\.\.\.//')
    # shellcheck disable=SC2086 # words they are
    ! run -o json $words && [ ! -s "$work/out" ] && grep -qx "error: command '$1' has no output as JSON" "$work/err"
    result $? "$1: $2"
}

while IFS=$'\t' read -r command line expected; do
    case $command in '#'* | '') continue ;; esac
    echo "$command" >>"$work/listed"
    case $line in
    -) refuses "$command" "$expected" ;;
    *)
        case $expected in
        '') tells "$line" ;;
        '*') finds "$line" ;;
        *) fails "$line" "$expected" ;;
        esac
        ;;
    esac
done <"$top/tests/cli/json"
"$vmctl" help | sed -nE 's/^    ([a-z-]+) .*/\1/p' | sort >"$work/commands"
sort -u "$work/listed" | diff "$work/commands" - >"$work/out"
result $? "each command is in the table"
echo "1..$n"
