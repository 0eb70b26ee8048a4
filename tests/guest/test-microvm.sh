#!/bin/bash
# What a microvm has and has not, the program beside it, where there is a KVM.
exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/guest/test-microvm" --tap
