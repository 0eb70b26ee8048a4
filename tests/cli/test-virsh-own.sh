#!/bin/bash
# test-virsh-own: test-virsh.sh on vmctl's own test driver. Speaks TAP.
VMCTL_CLI_DRIVER=own exec bash "${VMCTL_TOP_SRCDIR:?}/tests/cli/test-virsh.sh"
