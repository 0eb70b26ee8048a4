#!/bin/bash
# The program beside it: by way of a script, as check-kill.sh.
exec "$VMCTL_TOP_BUILDDIR/tests/bus/check-faults" --tap
