#!/bin/bash
# The Debian package that test-deb.sh has built, in labs where systemd is PID 1: everything in tests/deb/lab. Speaks TAP.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}

VMCTL_DEB=$(find "$build/deb" -name 'vmctl_*_amd64.deb' 2>/dev/null | head -n 1)
if [ -z "$VMCTL_DEB" ]; then
    echo "1..0 # SKIP there is no package: make deb"
    exit
fi
if [ ! -x /lib/systemd/systemd ]; then
    echo "1..0 # SKIP systemd is not installed: run ./bootstrap"
    exit
fi
# Nothing is installed on the machine that this is on.
export VMCTL_DEB ON_KVM=lab LAB_MODE=systemd LAB_KEEP=VMCTL_DEB LAB_TIMEOUT=${LAB_TIMEOUT:-1200}
"$here/../lab/run-checks" "$here/lab"
