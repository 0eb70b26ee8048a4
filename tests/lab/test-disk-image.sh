#!/bin/bash
# A real disk image as a guest of vmctld: everything in tests/lab/disk-image. Speaks TAP.
#
#   test-disk-image.sh [NAME...]     NAME of a file in tests/lab/disk-image; all of them
#
# Environment:
#   VMCTL_IMAGES           see tests/lab/image
#   VMCTL_FIO_MIB          MiB that fio writes to each disk and verifies (32; 1024 is for a quiet hour)
#   VMCTL_POWER_CUTS       how often the power goes (1)
#   VMCTL_SCREEN           where what is seen on consoles goes, too; in the lab /dev/console, for LAB_CONSOLE
#   LAB_TIMEOUT            seconds for each NAME (1500; for more MiB more)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VMCTL_IMAGE=$("$here/image" build) || exit
scratch=$(mktemp "${TMPDIR:-/tmp}/scratch.XXXXXX")
trap 'rm -f "$scratch"' EXIT
trap 'exit 130' INT TERM
truncate -s 16G "$scratch"

# A lab gets room on a first disk, and the image as disks to write to, whose changes are forgotten: nothing has
# to be copied there.
disk="-drive if=virtio,format=raw,cache=unsafe,snapshot=on,file=$VMCTL_IMAGE"
export VMCTL_LABS=1 # for there is one such disk
export VMCTL_IMAGE LAB_TIMEOUT=${LAB_TIMEOUT:-1500}
export LAB_QEMU_ARGS="-drive if=virtio,format=raw,cache=unsafe,file=$scratch $disk $disk $disk"
export LAB_KEEP="VMCTL_IMAGE VMCTL_FIO_MIB VMCTL_POWER_CUTS VMCTL_SCREEN"
"$here/run-checks" "$here/disk-image" "$@"
