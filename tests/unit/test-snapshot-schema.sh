#!/bin/bash
# test-snapshot-schema: every snapshot's document that the driver accepts or writes is valid by
# schemas/domainsnapshot.rng, and those that it refuses for a word are not. Speaks TAP.
set -euo pipefail
cd "${VMCTL_TOP_SRCDIR:-$(dirname "$0")/../..}"

n=0
check() { # "valid" or "invalid", the file
    local verdict=valid said
    said=$(xmllint --noout --nonet --relaxng schemas/domainsnapshot.rng "$2" 2>&1) || verdict=invalid
    n=$((n + 1))
    if [[ $verdict == "$1" ]]; then echo "ok $n - $2"; else echo "not ok $n - $2 is $verdict" && echo "# ${said//$'\n'/$'\n# '}"; fi
}

for out in tests/data/snapshot-xml/*.out.xml; do
    check valid "$out"
    check valid "${out%.out.xml}.xml"
done
for err in tests/data/snapshot-xml/*bad-*.err; do
    # What is missing may be said later, and what is too much for this machine is nothing that the schema knows of.
    case $err in *-no-time.err | *-no-state.err | *-no-name.err) [[ $err == */bad-disk-no-name.err ]] || continue ;; esac
    case $err in */redefine-bad-memory.err) continue ;; esac
    check invalid "${err%.err}.xml"
done
echo "1..$n"
