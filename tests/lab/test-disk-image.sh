#!/bin/bash
# A real disk image as a guest of vmctld: everything in tests/lab/disk-image, in one run of the lab where this
# host's own KVM does not do. Speaks TAP, in the order of the files' names.
#
#   test-disk-image.sh [NAME...]     NAME of a file in tests/lab/disk-image; all of them
#
# Environment:
#   VMCTL_IMAGES           see tests/lab/image
#   VMCTL_FIO_MIB          MiB that fio writes to each disk and verifies (32; 1024 is for a quiet hour)
#   VMCTL_POWER_CUTS       how often the power goes (2)
#   VMCTL_SCREEN           where what is seen on consoles goes, too; in the lab /dev/console, for LAB_CONSOLE
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}

# The lab gets the image as disks to write to, whose changes are forgotten: nothing has to be copied there.
if [ -z "${ON_KVM:-}" ]; then
    VMCTL_IMAGE=$("$here/image" build) || exit
    export VMCTL_IMAGE
    disk="-drive if=virtio,format=raw,cache=unsafe,snapshot=on,file=$VMCTL_IMAGE"
    scratch=$(mktemp "${TMPDIR:-/tmp}/scratch.XXXXXX")
    trap 'rm -f "$scratch"' EXIT
    trap 'exit 130' INT TERM
    truncate -s 16G "$scratch"
    LAB_QEMU_ARGS="-drive if=virtio,format=raw,cache=unsafe,file=$scratch $disk $disk" \
        LAB_KEEP="VMCTL_IMAGE VMCTL_FIO_MIB VMCTL_POWER_CUTS VMCTL_SCREEN" LAB_TIMEOUT=${LAB_TIMEOUT:-3600} \
        "$here/on-kvm" "$build" "$here/test-disk-image.sh" "$@"
    exit
fi
exec "$here/run-checks" "$here/disk-image" "$@"
