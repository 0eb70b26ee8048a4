#!/bin/bash
# The program beside it with guests that are fake: by way of a script, because automake has a rule for every *.sh, and for
# programs only in TESTS.
exec "$VMCTL_TOP_BUILDDIR/tests/bus/check-kill" --tap -p /kill/fake
