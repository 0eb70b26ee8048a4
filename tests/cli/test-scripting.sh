#!/bin/bash
# test-scripting: the examples of vmctl-scripting(7), taken from the page and run in its order in one shell, on a bus
# of their own. A block of the page is a file, which a comment before it names, or commands behind "$ " and "> " with
# what they print; "..." there stands for anything. Speaks TAP.
set -uo pipefail

top=$(cd "${VMCTL_TOP_BUILDDIR:?}" && pwd)
page=$(cd "${VMCTL_TOP_SRCDIR:?}" && pwd)/man/vmctl-scripting.7
for program in busctl gdbus; do
    command -v $program >/dev/null || { echo "1..0 # SKIP there is no $program" && exit; }
done
/usr/bin/python3 -c 'from gi.repository import Gio' 2>/dev/null || { echo "1..0 # SKIP there is no python3-gi" && exit; }
if [ -z "${VMCTL_SCRIPTING_DIR:-}" ]; then # first again, inside a bus of its own
    VMCTL_SCRIPTING_DIR=$(mktemp -d)
    export VMCTL_SCRIPTING_DIR
    trap 'rm -rf "$VMCTL_SCRIPTING_DIR"' EXIT
    dbus-run-session -- bash "$0" 2>"$VMCTL_SCRIPTING_DIR/log"
    exit
fi

work=$VMCTL_SCRIPTING_DIR
mkdir -m 700 "$work/run" "$work/here"
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run XDG_DATA_HOME=$work/data \
    XDG_CACHE_HOME=$work/cache PATH=$top:$PATH
cd "$work/here" || exit 1

# The blocks of the page, one file each, in order; that of a named file has the name in its own name.
awk -v blocks="$work/block" '
    /^\.\\" file / { name = $3 }
    /^\.nf/ { file = sprintf("%s-%02d-%s", blocks, ++n, name); name = ""; inside = 1; printf "" >file; next }
    /^\.fi/ { inside = 0; close(file) }
    inside {
        gsub(/\\\(aq/, "\047"); gsub(/\\-/, "-"); gsub(/\\&/, ""); gsub(/\\e/, "\\")
        print >file
    }' "$page"

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - ${2//#/\\#}"; else echo "not ok $n - ${2//#/\\#}"; fi
}

# pattern TEXT: a pattern of bash that stands for it, with "..." for anything.
pattern() { sed -e 's/[^[:alnum:] ]/\\&/g' -e 's/\\\.\\\.\\\./*/g' <<<"$1"; }

# run COMMAND WANTED: in this shell, so that variables and jobs are there for the next one.
run() {
    local command=$1 wanted said
    eval "$command" >"$work/said-$n" 2>&1 </dev/null # a file of its own, for jobs go on writing
    said=$(<"$work/said-$n")
    wanted=$(pattern "${2%"${2##*[!$'\n']}"}")
    # shellcheck disable=SC2053 # a pattern it is
    if [[ $said == $wanted ]]; then
        result 0 "${command%%$'\n'*}"
    else
        result 1 "${command%%$'\n'*}"
        printf '# wanted:\n%s\n# said:\n%s\n' "$2" "$said" | sed 's/^/# /'
    fi
}

run_block() {
    local line command='' wanted=''
    while IFS= read -r line; do
        case $line in
        '$ '*)
            [ -z "$command" ] || run "$command" "$wanted"
            command=${line#\$ } wanted=''
            ;;
        '> '*) command+=$'\n'${line#> } ;;
        *) wanted+=${wanted:+$'\n'}$line ;;
        esac
    done <"$1"
    run "$command" "$wanted"
}

for block in "$work"/block-*; do
    name=${block#"$work"/block-??-}
    if [ -n "$name" ]; then
        cp "$block" "$name"
    else
        [ "$(head -c 2 "$block")" = '$ ' ]
        result $? "${block##*/} is commands or a file with a name"
        run_block "$block"
    fi
done
[ "$n" -gt 40 ]
result $? "the page has its examples"
mapfile -t jobs < <(jobs -p)
[ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2>/dev/null
wait
echo "1..$n"
