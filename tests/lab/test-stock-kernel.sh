#!/bin/bash
# Stock Debian kernels as guests of vmctld: everything in tests/lab/stock, in one run of the lab where this
# host's own KVM does not do. Speaks TAP, in the order of the files' names.
#
#   test-stock-kernel.sh [NAME...]     NAME of a file in tests/lab/stock; all of them
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}

if [ -z "${ON_KVM:-}" ]; then
    LAB_TIMEOUT=${LAB_TIMEOUT:-1800} exec "$here/on-kvm" "$build" "$here/test-stock-kernel.sh" "$@"
fi

exec "$here/run-checks" "$here/stock" "$@"
