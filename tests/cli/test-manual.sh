#!/bin/bash
# test-manual: the manual has every command, option and key that the programs have, and no other, and in the order of
# the alphabet. Speaks TAP.
set -uo pipefail

vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
vmctld=$VMCTL_TOP_BUILDDIR/vmctld
pages=${VMCTL_TOP_SRCDIR:?}/man
man=$pages/vmctl.1
export LC_ALL=C.UTF-8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The manual without the macros' fonts and escapes.
plain() { sed -E 's/\\f[A-Z]//g; s/\\-/-/g' "$man"; }

# The manual's options, as those of a program that has one page of them.
options_of_page() {
    man=$pages/$1 plain | awk '
        /^\.SH/ { here = $2 == "OPTIONS" }
        wanted && here { while (match($0, /--[a-z-]+/)) { print substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH) } }
        { wanted = /^\.TP/ }'
}
options_of_daemon() { "$vmctld" --help | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }
options_of_daemon_page() { options_of_page vmctld.8; }

# The daemon's keys and the words that each may be.
keys_of_program() {
    local key
    "$vmctld" --session --print-config | sed -n 's/=.*//p' | while IFS= read -r key; do
        printf '[vmctld]\n%s=?\n' "$key" >"$work/conf"
        "$vmctld" --session --config="$work/conf" --print-config 2>&1 |
            sed -n "s/.*'$key', which is one of: /$key=/; s/, /|/gp"
    done
}
keys_of_manual() { man=$pages/vmctld.conf.5 plain | awk '/^\.SH/ { here = $2 == "KEYS" } wanted && here { print $2 } { wanted = /^\.TP/ }'; }

# The groups of commands, and the sections of the manual, with what is in them in order.
order_of_help() { "$vmctl" help | sed -nE "s/^ .*\(help keyword '(.*)'\).*/= /p; s/^    ([a-z-]+) .*/\1/p"; }
order_of_manual() { plain | awk '/^\.SH/ { print "=" } /^\.SS/ { print $2 }'; }
is_sorted() { awk '/^=/ { last = ""; next } $0 < last { print "# " $0 " stands behind " last; bad = 1 } { last = $0 } END { exit bad }'; }

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

in_order() {
    n=$((n + 1))
    if "$1" | is_sorted; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

echo "1..7"
same of_program of_manual "commands and their options"
same synopses_of_program synopses_of_manual "how they are typed"
same global_of_program global_of_manual "options of vmctl itself"
same options_of_daemon options_of_daemon_page "options of vmctld"
same keys_of_program keys_of_manual "keys of vmctld.conf"
in_order order_of_help "commands are in the order of the alphabet in the help"
in_order order_of_manual "and in the manual"
