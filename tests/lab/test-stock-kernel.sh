#!/bin/bash
# Stock Debian kernels as guests of vmctld: everything in tests/lab/stock. Speaks TAP.
#
#   test-stock-kernel.sh [NAME...]     NAME of a file in tests/lab/stock; all of them
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/run-checks" "$here/stock" "$@"
