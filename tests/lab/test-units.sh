#!/bin/bash
# Guests as units, in labs where systemd is PID 1 and what is built here is installed: everything in tests/lab/systemd.
# Speaks TAP.
#
#   test-units.sh [NAME...]     NAME of a file in tests/lab/systemd; all of them
#
# LAB_TIMEOUT (1200): seconds.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}

if ! command -v machinectl >/dev/null || [ ! -x /lib/systemd/systemd ] || ! command -v pkttyagent >/dev/null; then
    echo "1..0 # SKIP systemd, machinectl or polkit is not installed: run ./bootstrap check"
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
# The host's own systemd, where it has one, is not for trying. What is in there is one long story, in one lab.
export VMCTL_INSTALLED ON_KVM=lab LAB_MODE=systemd LAB_KEEP=VMCTL_INSTALLED LAB_TIMEOUT=${LAB_TIMEOUT:-1200}
"$here/run-checks" "$here/systemd" "$@"
