#!/bin/bash
# The demo, as "./bootstrap demo" runs it: it ends well and shows what it promises. Speaks TAP.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT

n=0
# check NAME COMMAND...
check() {
    local name=$1
    n=$((n + 1))
    shift
    if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; fi
}
shows() { grep -qE -- "$1" "$seen"; }

echo 1..9
status=0
"$here/demo" "${VMCTL_TOP_BUILDDIR:?}" </dev/null 2>&1 | tr -d '\r' >"$seen" || status=$?
check "ends well" test $status -eq 0
check "shows the XML" shows "<domain type='kvm'>"
check "streams the console from the first kernel line" shows '^\[    0\.000000\] Linux version '
check "reaches a prompt that answers" shows '^Linux [0-9]'
check "lists the guest" shows '^ 1 +demo +running'
check "shows dominfo" shows '^CPU\(s\): +2$'
check "powers the guest off by its button" shows '^shut off \(shutdown\)'
check "undefines it" shows "^Domain 'demo' has been undefined"
check "sums up the times" shows 'ACPI power button pressed, to the guest powered off +[0-9]+\.[0-9]{3}$'
if [ $status -ne 0 ]; then sed 's/^/# /' "$seen"; fi
