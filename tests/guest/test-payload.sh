#!/bin/bash
# Payload guests on the host's KVM: the program beside it, for "make check-guest".
exec "$VMCTL_TOP_BUILDDIR/tests/guest/test-payload" --tap
