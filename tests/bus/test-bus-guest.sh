#!/bin/bash
# Real guests behind the bus, where there is a KVM.
exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/bus/test-bus-guest" --tap
