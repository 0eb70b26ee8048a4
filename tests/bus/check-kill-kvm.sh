#!/bin/bash
# check-kill with guests of the machine monitor itself, where there is a KVM.
LAB_KEEP="CYCLES SEED" exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/bus/check-kill" --tap -p /kill/kvm
