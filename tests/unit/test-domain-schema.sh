#!/bin/bash
# test-domain-schema: every document that the driver accepts or writes is valid by schemas/domain.rng,
# but for the inputs with elements that nobody knows, which the driver ignores, and those in a form that
# libvirt's schema does not have and its parser takes. Speaks TAP.
set -euo pipefail
cd "${VMCTL_TOP_SRCDIR:-$(dirname "$0")/../..}"

valid() {
    xmllint --noout --nonet --relaxng schemas/domain.rng "$1" 2>&1
}

n=0
report() { # "ok" or "not ok", the name, what xmllint said
    n=$((n + 1))
    echo "$1 $n - $2"
    [[ $1 == ok ]] || printf '# %s\n' "${3//$'\n'/$'\n# '}"
}

for out in tests/data/domain-xml/*.out.xml; do
    in=${out%.out.xml}.xml
    if said=$(valid "$out"); then report ok "$out"; else report "not ok" "$out" "$said"; fi
    said=$(valid "$in") && verdict=valid || verdict=invalid
    expected=valid
    [[ $in != *"/unknown-"* && $in != *"/lenient-"* ]] || expected=invalid
    if [[ $verdict == "$expected" ]]; then
        report ok "$in"
    else
        report "not ok" "$in is $verdict" "$said"
    fi
done
# The schema is no wider than the driver where a word decides.
for err in tests/data/domain-xml/bad-*.err; do
    grep -q 'is not supported yet' "$err" || continue
    case $err in *memballoon-two.err | *controller-twice.err | *microvm-firmware.err | *sysinfo-kernel.err) continue ;; esac
    if valid "${err%.err}.xml" >/dev/null; then
        report "not ok" "${err%.err}.xml is valid" "but refused"
    else
        report ok "${err%.err}.xml"
    fi
done
echo "1..$n"
