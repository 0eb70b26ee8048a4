#!/bin/bash
# Guests as units, in labs where systemd is PID 1 and what is built here is installed: everything in tests/lab/systemd.
# Speaks TAP.
#
#   test-units.sh [NAME...]     NAME of a file in tests/lab/systemd; all of them
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}

if ! command -v machinectl >/dev/null || [ ! -x /lib/systemd/systemd ]; then
    echo "1..0 # SKIP systemd or machinectl is not installed: run ./bootstrap"
    exit
fi
VMCTL_INSTALLED=$(mktemp -d "$build/installed.XXXXXX")
trap 'rm -rf "$VMCTL_INSTALLED"' EXIT
trap 'exit 130' INT TERM
if ! said=$(make -C "$build" install DESTDIR="$VMCTL_INSTALLED" 2>&1); then
    echo "Bail out! what is built here cannot be installed:"
    tail -n 20 <<<"$said"
    exit 1
fi
# The host's own systemd, where it has one, is not for trying.
export VMCTL_INSTALLED ON_KVM=lab LAB_MODE=systemd LAB_KEEP=VMCTL_INSTALLED
"$here/run-checks" "$here/systemd" "$@"
