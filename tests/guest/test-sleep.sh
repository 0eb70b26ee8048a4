#!/bin/bash
# Payload guests, the program beside it: on the host's KVM, however slow it is, or in the lab where
# /dev/kvm does not open.
test=$VMCTL_TOP_BUILDDIR/tests/guest/test-sleep
if (: <>/dev/kvm) 2>/dev/null; then
    exec "$test" --tap
fi
export LAB_KEEP="G_TEST_SRCDIR G_TEST_BUILDDIR VMCTL_TOP_SRCDIR VMCTL_TOP_BUILDDIR"
exec "$VMCTL_TOP_SRCDIR/tests/lab/lab" run "$test" --tap
