#!/bin/bash
# test-log: what --debug, --log and the variables for them tell, and where. Speaks TAP.
set -uo pipefail

vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=$work DBUS_SESSION_BUS_ADDRESS=unix:path=$work/none \
    VMCTL_DEFAULT_CONNECT_URI=test:///default
log=$work/log
n=0

# is WHAT WANTED: the standard input is that.
is() {
    n=$((n + 1))
    if diff <(printf '%s\n' "$2") - >"$work/diff"; then
        echo "ok $n - $1"
    else
        sed 's/^/# /' "$work/diff"
        echo "not ok $n - $1"
    fi
}

# run WORD...: keeps what vmctl says, each stream without what differs each time.
run() {
    rm -f "$log"
    timeout 60 "$vmctl" "$@" >"$work/out" 2>"$work/err" </dev/null
    echo $? >"$work/status"
    sed -i -E 's/answered, [0-9.]+ ms/answered, N ms/' "$work/out" "$work/err"
    [ ! -e "$log" ] ||
        sed -i -E 's/^\[[0-9]{4}(\.[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2} vmctl [0-9]+\]/[WHEN]/; s/answered, [0-9.]+ ms/answered, N ms/' "$log"
}

run -l "$log" -d 1 'domid test; domid nope; list --all --output json'
is "level 1 is what was understood and what is looked for" 'commands: "domid test; domid nope; list --all --output json"
domid: domain(optdata): test
domid: domain(optdata): nope
domid: found option <domain>: test
1

domid: found option <domain>: nope

[
  {
    "id": 1,
    "name": "test",
    "state": "running"
  }
]' <"$work/out"
is "the log has it, and errors, with their levels" '[WHEN] INFO commands: "domid test; domid nope; list --all --output json"
[WHEN] INFO domid: domain(optdata): test
[WHEN] INFO domid: domain(optdata): nope
[WHEN] INFO list: all(bool): (none)
[WHEN] INFO domid: found option <domain>: test
[WHEN] INFO domid: found option <domain>: nope
[WHEN] ERROR failed to get domain '"'nope'"'
[WHEN] ERROR Domain not found: no domain with matching name '"'nope'"'' <"$log"
is "beside JSON it is no result" "list: all(bool): (none)
error: failed to get domain 'nope'
error: Domain not found: no domain with matching name 'nope'" <"$work/err"

run -d 0 domname 1
is "level 0 has the calls of the daemon" 'domname: domain(optdata): 1
domname: org.freedesktop.DBus.Properties.Get at /org/libvirt/Test: answered, N ms
domname: found option <domain>: 1
domname: <domain> trying as domain ID
domname: org.libvirt.Connect.DomainLookupByID at /org/libvirt/Test: answered, N ms
domname: org.freedesktop.DBus.Properties.Get at DOMAIN: answered, N ms
test' < <(sed '/^$/d; s|/org/libvirt/Test/domain/[^:]*|DOMAIN|' "$work/out")

run -l "$log" domid nope
is "without a level the log has errors alone" "[WHEN] ERROR failed to get domain 'nope'
[WHEN] ERROR Domain not found: no domain with matching name 'nope'" <"$log"
VMCTL_DEBUG=1 VMCTL_LOG_FILE=$log run domname 1
is "the environment asks for a log and a level" '[WHEN] INFO domname: domain(optdata): 1
[WHEN] INFO domname: found option <domain>: 1' <"$log"
VMCTL_DEBUG=0 VMCTL_LOG_FILE=$work/other run -l "$log" -d 4 domid nope
is "the options come first" "[WHEN] ERROR failed to get domain 'nope'
[WHEN] ERROR Domain not found: no domain with matching name 'nope'" <"$log"
is "and leave the other file alone" log < <(cd "$work" && ls log other 2>/dev/null)
for level in 9 x -1 ''; do
    VMCTL_DEBUG=$level run domname 1
    is "a level '$level' is complained of, and nothing else" "error: VMCTL_DEBUG not set with a valid numeric value
0" < <(cat "$work/err" "$work/status")
done
VMCTL_LOG_FILE=$work/none/log run domname 1
is "a log that cannot be written ends vmctl" "error: Failed to open file '$work/none/log': No such file or directory
1" < <(cat "$work/err" "$work/status")
echo "1..$n"
