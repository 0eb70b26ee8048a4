#!/bin/bash
# A guest's life with nothing but the command-line tools of D-Bus: gdbus throughout, busctl where it is
# there. Speaks TAP.
set -u

top=${VMCTL_TOP_BUILDDIR:-.}
if [ -z "${VMCTL_BUS_TOOLS_DIR:-}" ]; then # first again, inside a bus of its own
    VMCTL_BUS_TOOLS_DIR=$(mktemp -d)
    export VMCTL_BUS_TOOLS_DIR
    trap 'rm -rf "$VMCTL_BUS_TOOLS_DIR"' EXIT
    dbus-run-session -- bash "$0" 2>"$VMCTL_BUS_TOOLS_DIR/log" || sed 's/^/# /' "$VMCTL_BUS_TOOLS_DIR/log"
    exit
fi

work=$VMCTL_BUS_TOOLS_DIR
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run XDG_DATA_HOME=$work/data \
    XDG_CACHE_HOME=$work/cache VMCTL_VMM=$top/tests/bus/fake-vmm VMCTL_KVM=/dev/null
mkdir -m 700 "$XDG_RUNTIME_DIR"
echo 'not a kernel' >"$work/kernel"
xml="<domain type='kvm'><name>tools</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type>
<kernel>$work/kernel</kernel></os><features><acpi/></features>
<devices><console type='pty'/></devices></domain>"
root=/org/libvirt/QEMU
domain=$root/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809
n=0 bad=0

# check NAME WANTED COMMAND...: the command says what is wanted, a pattern.
check() {
    local name=$1 wanted=$2 said
    shift 2
    said=$("$@" 2>&1)
    n=$((n + 1))
    # shellcheck disable=SC2053 # a pattern it is
    if [[ $said == $wanted ]]; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        printf '# %s\n' "wanted: $wanted" "said: ${said//$'\n'/ }"
        bad=1
    fi
}

# until_says WANTED COMMAND...: the same, within some seconds.
until_says() {
    local wanted=$1
    shift
    for _ in {1..100}; do
        # shellcheck disable=SC2053
        [[ $("$@" 2>&1) == $wanted ]] && break
        sleep 0.05
    done
    "$@"
}

# The functions below are called by name.
# shellcheck disable=SC2317
call() { gdbus call --session --dest org.libvirt --object-path "$1" --method "${@:2}"; }
# shellcheck disable=SC2317
bus() { busctl --address="$DBUS_SESSION_BUS_ADDRESS" "$1" org.libvirt "${@:2}"; }

"$top/vmctld" --session &
daemon=$!
gdbus wait --session --timeout 60 org.libvirt
gdbus monitor --session --dest org.libvirt >"$work/events" &
monitor=$!
until_says '*owned by*' cat "$work/events" >/dev/null

check 'gdbus defines' "(objectpath '$domain',)" call $root org.libvirt.Connect.DomainDefineXML "$xml"
check 'gdbus lists' "(\[objectpath '$domain'\],)" call $root org.libvirt.Connect.ListDomains 0
check 'gdbus starts' '()' call $domain org.libvirt.Domain.Create 0
check 'gdbus sees it run' '((1, 1),)' call $domain org.libvirt.Domain.GetState 0
check 'gdbus gets all properties' "*'Id': <<uint32 1>>*" call $domain \
    org.freedesktop.DBus.Properties.GetAll org.libvirt.Domain
if command -v busctl >/dev/null; then
    check 'busctl gets a property' 's "tools"' bus get-property $domain org.libvirt.Domain Name
    check 'busctl calls' '(ii) 1 1' bus call $domain org.libvirt.Domain GetState u 0
    check 'busctl introspects' '*.Create *method *u *-*' bus introspect $domain org.libvirt.Domain
    check 'busctl shows the tree' "*$domain*" busctl --address="$DBUS_SESSION_BUS_ADDRESS" tree \
        --list org.libvirt
fi
check 'gdbus shuts down' '()' call $domain org.libvirt.Domain.Shutdown 0
check 'the guest powers off' '((5, 1),)' until_says '((5, 1),)' call $domain org.libvirt.Domain.GetState 0
check 'gdbus undefines' '()' call $domain org.libvirt.Domain.Undefine 0
check 'it is gone' '(@ao \[\],)' call $root org.libvirt.Connect.ListDomains 0
check 'an error has its name and text' "*org.libvirt.Error: Domain not found: *" call $root \
    org.libvirt.Connect.DomainLookupByName tools

# The events in libvirt's order: defined, resumed, started, shut down, stopped, undefined.
# shellcheck disable=SC2317
events() { sed -n "s/.*DomainEvent (objectpath '[^']*', \(-\?[0-9]*\), \(-\?[0-9]*\))/\1,\2/p" "$work/events" | xargs; }
check 'gdbus monitor heard it all' '0,0 4,0 2,0 6,1 5,0 1,0' until_says '*1,0' events
kill $monitor
kill $daemon
wait $daemon
check 'the daemon ends cleanly' 0 echo $?
check 'nothing stays in the run directory' 'vmctld.lock' \
    find "$XDG_RUNTIME_DIR/vmctl" -type f -printf '%f\n'
echo "1..$n"
exit $bad
