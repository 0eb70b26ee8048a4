#!/bin/bash
# Disks without room, where there is a KVM.
exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/bus/test-bus-full" --tap
