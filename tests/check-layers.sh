#!/bin/bash
# check-layers: who may include what, and that nothing goes in circles. Speaks TAP.
#
#   check-layers.sh          checks the tree, and that each rule catches a file that breaks it
#   check-layers.sh TREE     prints what breaks the rules in TREE
set -euo pipefail

# A room, the includes in quotes that its files may have, and the ones in angles that they may not.
layers=(
    'qemu-kvm-backend/proto|qemu-kvm-backend/proto/|g(lib|io|object)|libxml|libvirt|systemd|dbus'
    'qemu-kvm-backend|qemu-kvm-backend/|g(lib|io|object)|libxml|libvirt|systemd|dbus'
    'driver|driver/,qemu-kvm-backend/proto/|systemd|dbus'
    'daemon|daemon/,driver/,schemas/|libxml|linux/kvm'
    'cli|cli/|systemd'
)

# A room, what may stand only in some of its files, and which.
words=(
    'driver|<libxml/|driver/(xml|domain-xml|device)'
    'driver|g_dbus_|none'
    'daemon|g_dbus_|daemon/dbus'
    'cli|linux/kvm|cli/cmd-doctor'
    'cli|<libxml/|cli/(xpath|device-change)'
    'daemon|\bxmlNode|none'
    'qemu-kvm-backend|\bg_[a-z]+_[a-z]+ ?\(|none'
)

# in_room ROOM: of lines that begin with a file, those of ROOM; the protocol's is not part of the one around it.
in_room() {
    grep "^$1/" | if [ "$1" = qemu-kvm-backend ]; then grep -v '^qemu-kvm-backend/proto/'; else cat; fi || :
}

sources() { (cd "$1" && find qemu-kvm-backend driver daemon cli -name '*.[ch]' | sort); }

# includes TREE: lines of a file, the mark " or <, and what the file includes between such marks.
includes() {
    (cd "$1" && sources . | xargs grep -HE '^[[:space:]]*#[[:space:]]*include') |
        sed -nE 's/^([^:]*):[^"<]*(["<])([^">]*).*/\1 \2 \3/p'
}

# Headers that are made by the build belong to the room that makes them.
check_layers() {
    local row room may mayno file mark header
    for row in "${layers[@]}"; do
        IFS='|' read -r room may mayno <<<"$row"
        includes "$1" | in_room "$room" | while read -r file mark header; do
            if [ "$mark" = '"' ] && [[ ! $header =~ ^(${may//,/|}) ]]; then
                echo "$file: a file of $room includes \"$header\""
            elif [ "$mark" = '<' ] && [[ $header =~ ^($mayno) ]]; then
                echo "$file: a file of $room includes <$header>"
            fi
        done
    done
}

check_words() {
    local row room word allowed
    for row in "${words[@]}"; do
        IFS='|' read -r room word allowed <<<"$row"
        sources "$1" | in_room "$room" | grep -vE "^$allowed" | (cd "$1" && xargs -r grep -HnE "$word") || :
    done
}

# A module is a source and its headers, "-private" ones too; tsort names the members of each circle.
check_circles() {
    includes "$1" | awk '$2 == "\"" {
        sub(/(-private)?\.[ch]$/, "", $1); sub(/(-private)?\.h$/, "", $3)
        if ($1 != $3) print $1, $3
    }' | tsort 2>&1 >/dev/null | sed 's/^tsort: -: input contains a loop:/modules include each other in a circle:/' || :
}

violations() {
    check_layers "$1"
    check_words "$1"
    check_circles "$1"
}

n=0
# result NAME LINES: passes when there are none.
result() {
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        printf '# %s\n' "${2//$'\n'/$'\n# '}"
    fi
}

# caught NAME [FILE TEXT]...: the files, put into a copy of the tree, are found to break a rule.
caught() {
    local name=$1 found
    shift
    rm -rf "$planted"
    cp -r "$clean" "$planted"
    while [ $# -gt 0 ]; do
        printf '%s\n' "$2" >"$planted/$1"
        shift 2
    done
    found=$(violations "$planted" | diff - "$clean.found" || :)
    result "catches $name" "$([ -n "$found" ] || echo "found nothing wrong")"
}

if [ $# -gt 0 ]; then
    violations "$1"
    exit
fi

top=${VMCTL_TOP_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clean=$work/clean planted=$work/planted
mkdir "$clean"
for room in qemu-kvm-backend driver daemon cli; do
    mkdir "$clean/$room"
    (cd "$top" && find $room -name '*.[ch]' -print0 | xargs -0r cp --parents -t "$clean")
done
violations "$clean" >"$clean.found"

echo 1..11
result "each file includes only what its room may" "$(check_layers "$clean")"
result "XML, D-Bus and GLib stay in their files" "$(check_words "$clean")"
result "no modules include each other in a circle" "$(check_circles "$clean")"
caught "a VMM that knows the driver" qemu-kvm-backend/planted.c '#include "driver/driver.h"'
caught "a VMM with GLib" qemu-kvm-backend/planted.c '#  include <glib.h>'
caught "a protocol that looks outside" qemu-kvm-backend/proto/planted.h '#include "qemu-kvm-backend/memory.h"'
caught "a daemon that speaks to the VMM" daemon/planted.c '#include "qemu-kvm-backend/proto/vmm-msg.h"'
caught "XML in the driver's other files" driver/planted.c '#include <libxml/tree.h>'
caught "XML in vmctl's other files" cli/planted.c '#include <libxml/tree.h>'
caught "D-Bus in the daemon's other files" daemon/planted.c 'g_dbus_node_info_ref(0);'
caught "a circle" \
    driver/planted-a.c '#include "driver/planted-b.h"' driver/planted-b.h '#include "driver/planted-a.h"'
