#!/bin/bash
# check-power-cut.sh: the check where it can mount what it makes: here, in a mount name space of its own, or in the lab.
set -uo pipefail
build=${VMCTL_TOP_BUILDDIR:?built tree}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
check=$build/tests/bus/check-power-cut

# can_mount: whether root may mount a file here; PATH, for a user's has no mkfs.
export PATH=$PATH:/usr/sbin:/sbin
can_mount() {
    local file status=0
    [ "$(id -u)" = 0 ] || return 1
    file=$(mktemp)
    truncate -s 1M "$file"
    mkfs.ext4 -q "$file" && unshare --mount mount -o loop "$file" /mnt || status=1
    rm -f "$file"
    return $status
}

if can_mount >/dev/null 2>&1; then
    exec unshare --mount "$check"
fi
exec env LAB_KEEP="CUTS VMCTL_TOP_BUILDDIR" "$here/../lab/lab" run "$check"
