#!/bin/bash
# The hostile guest, the program beside it, where there is a KVM.
LAB_KEEP="HOSTILE_SEED HOSTILE_ACTIONS" exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/guest/test-hostile" --tap
