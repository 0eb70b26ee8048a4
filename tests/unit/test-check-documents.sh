#!/bin/bash
# test-check-documents: the golden documents by the program that checks any folder of documents: none crashes, and
# what changes is on the list. Speaks TAP.
set -uo pipefail
top=${VMCTL_TOP_SRCDIR:?}
check=${VMCTL_TOP_BUILDDIR:?}/tests/unit/check-documents
known=$top/tests/data/domain-xml-changes.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo 1..4
if CHECK_DOCUMENTS_KNOWN=$known "$check" "$top/tests/data/domain-xml" >"$work/out"; then
    echo "ok 1 - golden documents"
else
    grep -E '^(changed|ignored|crashed)' "$work/out" | sed 's/^/# /'
    echo "not ok 1 - golden documents"
fi
tail -1 "$work/out" | sed 's/^/# /'

# That it sees what is lost, what is refused, and what is none of its business.
mkdir "$work/in" "$work/in/below"
printf '<network/>' >"$work/in/network.xml"
domain() { printf "<domain type='kvm'><name>a</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>%s</domain>" "$1"; }
domain "<devices><console type='pty'/></devices>" >"$work/in/plain.xml"
domain '<keywrap/>' >"$work/in/below/refused.xml"
domain "<devices><disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk></devices>" >"$work/in/changed.xml"
domain "<devices><console type='pty'><frob colour='blue'/></console></devices><metadata><a:b xmlns:a='urn:a'/></metadata>" >"$work/in/strange.xml"
expected="accepted plain.xml
changed changed.xml: devices/disk/target/@bus=sata
ignored strange.xml: devices/console/frob/@colour=blue; devices/console/frob=
other network.xml
refused refused.xml: unsupported configuration: element <keywrap> of <domain> is not supported yet by this machine"
got=$("$check" "$work/in" | sed '$d; s,^\([a-z]*\) [^:]*/\([a-z.]*\),\1 \2,' | sort)
if [ "$got" = "$expected" ]; then echo "ok 2 - outcomes"; else printf '%s\n' "$got" | sed 's/^/# /'; echo "not ok 2 - outcomes"; fi
if "$check" "$work/in" >"$work/out"; then echo "ok 3 - a change is no failure by itself"; else echo "not ok 3 - a change is no failure by itself"; fi
: >"$work/none"
if CHECK_DOCUMENTS_KNOWN=$work/none "$check" "$work/in" >"$work/out"; then echo "not ok 4 - a change that nobody knows is one"; else echo "ok 4 - a change that nobody knows is one"; fi
