#!/bin/bash
# test-manual: vmctl.1 has every command and option that the program has, and no other. Speaks TAP.
set -uo pipefail

vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
man=${VMCTL_TOP_SRCDIR:?}/man/vmctl.1
export LC_ALL=C.UTF-8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The manual without the macros' fonts and escapes.
plain() { sed -E 's/\\f[A-Z]//g; s/\\-/-/g' "$man"; }

# The commands, and "command --option" for each option, one per line; an option without a name as "<name>".
of_program() {
    "$vmctl" help | sed -nE 's/^    ([a-z-]+) .*/\1/p' | while IFS= read -r command; do
        echo "$command"
        "$vmctl" help "$command" |
            sed -nE "/^  OPTIONS/,\$ s/^    \[?(--[a-z-]+|<[a-z-]+>).*/$command \1/p"
    done
}
of_manual() {
    plain | awk '
        /^\.SH/ { command = "" }
        /^\.SS/ { command = $2; print command }
        wanted && command && match($0, /--[a-z-]+/) { print command, substr($0, RSTART, RLENGTH) }
        wanted && command && /^\.I / { print command, "<" $2 ">" }
        { wanted = /^\.TP/ }'
}

global_of_program() {
    "$vmctl" --help | sed -n '/^  options:/,/^  commands/p' | grep -oE '^    +(-[a-zA-Z]|--[a-z]+)[^ ]*( \| --[a-z-]+)?' |
        grep -oE -- '-?-[a-zA-Z-]+'
}
global_of_manual() {
    plain | awk '
        /^\.SH/ { here = $2 == "OPTIONS" }
        wanted && here { gsub(/[",=]/, " "); for (i = 2; i <= NF; i++) if ($i ~ /^--?[a-zA-Z]/) print $i }
        { wanted = /^\.TP/ }' | sed 's/\[.*//'
}

# The synopsis of each command, word by word as help has it.
synopses_of_program() {
    "$vmctl" help | sed -nE 's/^    ([a-z-]+) .*/\1/p' | while IFS= read -r command; do
        "$vmctl" help "$command" | sed -n '/^  SYNOPSIS/ { n; s/^ *//; s/[<>]//g; p }'
    done
}
synopses_of_manual() { plain | sed -n '/^\.HP/ { n; p }'; }

n=0
same() {
    n=$((n + 1))
    "$1" | sort >"$work/program"
    "$2" | sort >"$work/manual"
    if [ -s "$work/program" ] && diff "$work/program" "$work/manual" >"$work/diff"; then
        echo "ok $n - $3"
    else
        sed 's/^/# /; s/^# </# only vmctl:/; s/^# >/# only the manual:/' "$work/diff"
        echo "not ok $n - $3"
    fi
}

echo "1..3"
same of_program of_manual "commands and their options"
same synopses_of_program synopses_of_manual "how they are typed"
same global_of_program global_of_manual "options of vmctl itself"
