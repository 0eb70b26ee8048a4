#!/bin/bash
# The table of KVM's ioctls against the kernel's header and against our sources. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
table=$top/qemu-kvm-backend/kvm-interface.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Other architectures' by name; x86 has none of these.
foreign='^KVM_(PPC|S390|ARM|RISCV)_|^KVM_CREATE_SPAPR_TCE|^KVM_(ALLOCATE_RMA|DIRTY_TLB)$'

header=$(printf '#include <linux/kvm.h>\n' | ${CC:-cc} -E -dM -x c -) || exit 99
awk '/^#define KVM_[A-Z0-9_]+ _IO/ { print $2 }' <<<"$header" | grep -Ev "$foreign" | sort -u >"$work/header"

# rows FILE: "ioctl use" for each row.
rows() { awk -F'|' '$2 ~ /^ KVM_/ { gsub(/ /, ""); print $2, $3 }' "$1"; }

# used: the ioctls in our sources: whatever of the header's names stands there as a whole word. The table
# of rights is no use: it allows.
rights=$top/qemu-kvm-backend/confine-rules.c
grep -rhoE --include='*.c' --include='*.h' --exclude="${rights##*/}" '\bKVM_[A-Z0-9_]+\b' \
    "$top/qemu-kvm-backend" | sort -u | comm -12 - "$work/header" >"$work/sources"
grep -oE '\bKVM_[A-Z0-9_]+\b' "$rights" | sort -u | comm -12 - "$work/header" >"$work/rights"

# wrong_rights TABLE: uses that seccomp would end, and rights to what nobody uses, or not yet.
wrong_rights() {
    comm -23 "$work/sources" "$work/rights" | sed 's/$/ is used without a row in confine-rules.c/'
    rows "$1" | awk '$2 != "used" { print $1 }' | sort | comm -12 - "$work/rights" |
        sed 's/$/ has a row in confine-rules.c and is not used/'
}

# problems TABLE: a line for each disagreement.
problems() {
    rows "$1" >"$work/rows"
    cut -d' ' -f1 "$work/rows" | sort | uniq -d | sed 's/$/ has two rows/'
    grep -vE ' (used|later|no)$' "$work/rows" | sed 's/$/: the use is none of used, later and no/'
    cut -d' ' -f1 "$work/rows" | sort -u | comm -23 "$work/header" - | sed 's/$/ has no row/'
    awk '$2 == "used" { print $1 }' "$work/rows" | sort | comm -3 - "$work/sources" |
        sed -E 's/^\t(.*)/\1 is used and the table does not say so/; t; s/$/ is not used, though the table says so/'
}

check() {
    local number=$1 name=$2 found=$3
    if [ -z "$found" ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "# ${found//$'\n'/$'\n# '}"
    fi
}

echo 1..3
check 1 "the table, the kernel's header and the sources agree" "$(problems "$table")"

check 2 "what is used is somebody's right, and nothing else" "$(wrong_rights "$table")"

# The check itself: a row gone, a row doubled, a use that is wrong either way.
sed -e '/^| KVM_GET_PIT |/d' -e '/^| KVM_NMI |/p' -e '/^| KVM_RUN |/s/used/no/' -e '/^| KVM_SMI |/s/ no / used /' \
    -e '/^| KVM_IRQFD |/s/ used / later /' "$table" >"$work/wrong.md"
found=$(problems "$work/wrong.md"; wrong_rights "$work/wrong.md")
missed=
for line in 'KVM_GET_PIT has no row' 'KVM_NMI has two rows' 'KVM_RUN is used and the table does not say so' \
    'KVM_SMI is not used, though the table says so' 'KVM_RUN has a row in confine-rules.c and is not used' \
    'KVM_IRQFD has a row in confine-rules.c and is not used'; do
    grep -qxF "$line" <<<"$found" || missed+="not seen: $line"$'\n'
done
check 3 "a table that is wrong is seen" "$missed"
