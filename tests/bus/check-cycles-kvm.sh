#!/bin/bash
# test-bus-cycles with guests of the machine monitor itself, where there is a KVM.
CYCLES_KVM=1 LAB_KEEP="CYCLES CYCLES_KVM" exec "$VMCTL_TOP_SRCDIR/tests/lab/on-any-kvm" "$VMCTL_TOP_BUILDDIR/tests/bus/test-bus-cycles" --tap
