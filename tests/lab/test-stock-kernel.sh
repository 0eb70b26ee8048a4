#!/bin/bash
# Stock Debian kernels as guests of vmctld: everything in tests/lab/stock. Speaks TAP.
#
#   test-stock-kernel.sh [NAME...]     NAME of a file in tests/lab/stock; all of them
#
# Environment: VMCTL_STOCK_CYCLES, how often "cycles" boots a kernel (4; 20 is for a quiet hour).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# A third of what one takes in the lab is until it can begin.
export LAB_KEEP=VMCTL_STOCK_CYCLES VMCTL_BATCH=${VMCTL_BATCH:-6}
exec "$here/run-checks" "$here/stock" "$@"
