#!/bin/bash
# test-completion: bash's completion of vmctl lines, with a daemon that has domains, and without any. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_BUILDDIR:?}
src=${VMCTL_TOP_SRCDIR:?}
if [ -z "${VMCTL_COMPLETION_DIR:-}" ]; then # first again, inside a bus of its own
    VMCTL_COMPLETION_DIR=$(mktemp -d)
    export VMCTL_COMPLETION_DIR
    trap 'rm -rf "$VMCTL_COMPLETION_DIR"' EXIT
    dbus-run-session -- bash "$0" 2>"$VMCTL_COMPLETION_DIR/log" || sed 's/^/# /' "$VMCTL_COMPLETION_DIR/log"
    exit
fi

work=$VMCTL_COMPLETION_DIR
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run XDG_DATA_HOME=$work/data \
    XDG_CACHE_HOME=$work/cache VMCTL_VMM=$top/tests/bus/fake-vmm VMCTL_KVM=/dev/null \
    VMCTL_DEFAULT_CONNECT_URI=qemu:///session PATH=$top:$PATH LC_ALL=C.UTF-8
mkdir -m 700 "$XDG_RUNTIME_DIR"
echo 'not a kernel' >"$work/kernel"
# shellcheck source=cli/completion.bash
. "$src/cli/completion.bash"

n=0 bad=0
# proposes WANTED WORD...: what bash would propose for the line, one blank between.
proposes() {
    local wanted=$1
    shift
    COMP_WORDS=(vmctl "$@") COMP_CWORD=$#
    COMPREPLY=()
    _vmctl
    n=$((n + 1))
    # shellcheck disable=SC2053 # a pattern it is
    if [[ "${COMPREPLY[*]}" == $wanted ]]; then
        echo "ok $n - vmctl $*"
    else
        echo "not ok $n - vmctl $*"
        echo "# wanted: $wanted; proposed: ${COMPREPLY[*]}"
        bad=1
    fi
}

proposes 'define' defi
proposes '*domdisplay*domuuid' dom
proposes '' start w
[ -e "$XDG_RUNTIME_DIR/vmctl/vmctld.lock" ] && started=1 || started=0
n=$((n + 1))
if [ "$started" = 0 ]; then echo "ok $n - no daemon was started"; else echo "not ok $n - a daemon was started"; fi

"$top/vmctld" --session &
daemon=$!
gdbus wait --session --timeout 60 org.libvirt
for name in web worker 'two words'; do
    echo "<domain type='kvm'><name>$name</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type><kernel>$work/kernel</kernel></os><features><acpi/></features>
<devices/></domain>" >"$work/domain.xml"
    vmctl -q define "$work/domain.xml"
done
proposes 'web worker' start w
proposes 'web' -q -c qemu:///session start we
proposes 'two\\ words' start tw
proposes '--pa*' start web --pa
proposes '--paused' start --paus
proposes 'list' help lis
proposes '' nonsense w
proposes '' domif-setlink web w
proposes 'web worker' domstats web w
proposes 'lifecycle' event --event life
proposes 'web' event --all --domain we
proposes '' net-start d
proposes 'default' -c test:///default net-start d
proposes 'default' -c test:///default net-event --network d
proposes 'lifecycle' -c test:///default net-event --network default --event l
proposes '' -c test:///default net-update default d
proposes 'default-pool' -c test:///default vol-list d
proposes '' -c test:///default vol-info d
proposes 'default-pool' -c test:///default vol-info v --pool d
proposes 'default-pool' -c test:///default vol-info v d
proposes 'eth1' -c test:///default iface-mac e
proposes 'computer' -c test:///default nodedev-dumpxml c
kill $daemon
wait $daemon
echo "1..$n"
exit $bad
