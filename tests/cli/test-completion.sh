#!/bin/bash
# test-completion: bash's and zsh's completion of vmctl lines, with a daemon that has domains, and without any. Speaks TAP.
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
# from_bash WORD...: what bash would propose for the line, one blank between.
from_bash() {
    COMP_WORDS=(vmctl "$@") COMP_CWORD=$#
    COMPREPLY=()
    _vmctl
    proposed="${COMPREPLY[*]}"
}

# from_zsh WORD...: the same of zsh, whose own commands for a widget say what they would do; names of files are nothing.
from_zsh() {
    # shellcheck disable=SC2016 # zsh's own variables
    proposed=$(zsh -f -c '
        compadd() { [[ $1 = -a ]] && print -r -- ${(P)2} }
        _files() { : }
        file=$1
        shift
        words=(vmctl "$@") CURRENT=$(( $# + 1 ))
        propose() { source $file }
        propose' zsh "$src/cli/completion.zsh" "$@")
}

# check SHELL WANTED WORD...
check() {
    local shell=$1 wanted=$2
    shift 2
    n=$((n + 1))
    if [ "$shell" = zsh ]; then from_zsh "$@"; else from_bash "$@"; fi
    # shellcheck disable=SC2053 # a pattern it is
    if [[ "$proposed" == $wanted ]]; then
        echo "ok $n - $shell: vmctl $*"
    else
        echo "not ok $n - $shell: vmctl $*"
        echo "# wanted: $wanted; proposed: $proposed"
        bad=1
    fi
}

# proposes WANTED WORD...: zsh quotes what needs it itself.
proposes() {
    local wanted=$1
    shift
    check bash "$wanted" "$@"
    [ -z "$zsh" ] || check zsh "${wanted//\\\\/}" "$@"
}
zsh=$(command -v zsh)

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
vmctl -q iothreadadd web 7 && vmctl -q iothreadadd web 12
proposes '12 7' iothreaddel web ''
proposes '12' iothreadset web 1
proposes '7' iothreadpin web 7
proposes '12' attach-disk web image vdb --iothread 1
proposes '' iothreadadd web 1
proposes 'atset1 atset2 atset3' send-key web --codeset at
proposes 'KEY_LEFTALT' send-key web KEY_LEFTCTRL KEY_LEFTA
proposes 'VK_LEFT' send-key web --codeset win32 VK_MENU VK_LE
proposes '' send-key web --codeset usb K
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
