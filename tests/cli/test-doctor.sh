#!/bin/bash
# test-doctor: vmctl doctor says what this host has, whatever that is, and what to do about the rest; and on a host that
# lacks what guests need, made of mounts that nobody else sees, it finds that. Speaks TAP.
set -uo pipefail

vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=$work DBUS_SESSION_BUS_ADDRESS=unix:path=$work/none
unset VMCTL_DEFAULT_CONNECT_URI VIRSH_DEFAULT_CONNECT_URI LIBVIRT_DEFAULT_URI
command -v python3 >/dev/null || { echo "1..0 # SKIP there is no python3" && exit; }

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        sed 's/^/# /' "$work/out" "$work/err"
        echo "not ok $n - $2"
    fi
}

doctor() {
    timeout 60 "$vmctl" "$@" doctor >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

# of FILE CHECK KEY: what it says of a check, in JSON; "None" for nothing.
of() { python3 -c 'import json, sys; print(next(f[sys.argv[3]] for f in json.load(open(sys.argv[1])) if f["check"] == sys.argv[2]))' "$@"; }
# ask EXPRESSION: of all findings, as "all".
ask() { python3 -c 'import json, sys; all_ = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2], {"all_": all_}))' "$work/json" "$1"; }

doctor -c test:///default -o json
cp "$work/out" "$work/json"
ask '[f["check"] for f in all_] == ["kvm", "daemon", "cgroups", "modules", "firmware", "passt", "nested", "hugepages", "iommu"]'
result $? "each check has its finding, in order"
ask 'all(f["finding"] in ("ok", "note", "bad") and f["text"] for f in all_)'
result $? "which is good, a note or bad, with a reason"
ask 'all(f["cure"] is None or f["finding"] != "ok" for f in all_)'
result $? "what is well needs no cure"
[ "$(of "$work/json" daemon finding)" = ok ]
result $? "a daemon answers"
[ "$status" -eq "$(grep -c '"finding": "bad"' "$work/json")" ]
result $? "it fails where no guest can run, and only then"

doctor -c test:///default
python3 - "$work/json" >"$work/cures" <<'PY'
import json, sys
for finding in json.load(open(sys.argv[1])):
    if finding["cure"]:
        print(finding["cure"])
PY
diff <(sed -n 's/^ *try: //p' "$work/out") "$work/cures" >"$work/err"
result $? "a person reads the same cures"
[ "$(grep -cE '^(ok|note|BAD) ' "$work/out")" -eq 9 ]
result $? "and as many findings"

doctor -c qemu:///session -o json
[ "$(of "$work/out" daemon finding)" = bad ] && [ "$(of "$work/out" daemon cure)" = 'vmctld --session &' ] &&
    grep -qx 'error: this host is not ready for guests' "$work/err" && [ "$status" -eq 1 ]
result $? "a daemon that is not there is found, with the command that starts it"

# on_bare_host MOUNT: doctor behind these mounts.
on_bare_host() {
    timeout 60 unshare --user --map-root-user --mount sh -c "$1 && exec \"\$0\" -c test:///default -o json doctor" "$vmctl" \
        >"$work/out" 2>"$work/err" </dev/null
    status=$?
}
if unshare --user --map-root-user --mount mount -t tmpfs none /mnt 2>/dev/null; then
    mkdir "$work/empty"
    on_bare_host "mount --bind $work/empty /dev"
    [ "$(of "$work/out" kvm finding)" = bad ] && [ "$(of "$work/out" kvm cure)" = 'modprobe kvm_intel || modprobe kvm_amd' ] && [ "$status" -eq 1 ]
    result $? "a host without /dev/kvm"
    [ "$(of "$work/out" modules text)" = 'there is no /dev/net/tun' ] && [ "$(of "$work/out" modules cure)" = 'sudo modprobe tun' ]
    result $? "and without taps"
    on_bare_host "mkdir $work/empty/net && touch $work/empty/kvm $work/empty/net/tun $work/empty/vhost-net && mount --bind $work/empty /dev"
    [ "$(of "$work/out" kvm finding)" = bad ] && [ "$(of "$work/out" modules cure)" = 'sudo modprobe vhost_vsock' ]
    result $? "one whose /dev/kvm is no KVM, and without vsock"
    on_bare_host "mount --bind $work/empty /usr/share"
    [ "$(of "$work/out" firmware finding)" = note ] && [ "$(of "$work/out" firmware cure)" = 'sudo apt-get install seabios' ]
    result $? "one without firmware"
    on_bare_host "mount --bind $work/empty /sys"
    [ "$(of "$work/out" cgroups finding)" = note ] && [ "$(of "$work/out" iommu cure)" = 'intel_iommu=on' ] && [ "$(of "$work/out" hugepages finding)" = note ]
    result $? "one without control groups, an IOMMU and huge pages"
else
    echo "ok $((n + 1)) - hosts that lack something # SKIP no mounts of one's own here"
    n=$((n + 1))
fi
echo "1..$n"
