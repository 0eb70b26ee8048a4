#!/bin/bash
# cockpit-machines, as the distribution has it, before vmctld: lists, starts, shows, pauses, stops and deletes a guest
# over our bus name. Speaks TAP.
#
# Cockpit's web server serves one local session, on loopback; the message bus is an instance's own, which takes the
# place of the system's, too. The guest is a BIOS that finds nothing to boot; where there is no KVM, its monitor is the
# one of the bus tests. Screenshots are kept in tests/clients below the build directory.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${VMCTL_TOP_BUILDDIR:?built tree}
if ! machines=$("$here/cockpit-machines" find 2>&1); then
    echo "1..0 # SKIP $machines"
    exit
fi
# shellcheck source=tests/lab/instance.sh
. "$here/../lab/instance.sh"

web_pid=
finish() {
    if [ -n "$web_pid" ]; then kill "$web_pid"; fi
    instance_free
}
trap finish EXIT
trap 'exit 130' INT TERM

instance_new
# What Cockpit's session has besides: it asks for both buses, and finds pages below XDG_DATA_DIRS.
export HOME=$instance USER=root LOGNAME=root LANG=C.UTF-8
export DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS XDG_DATA_DIRS=$machines:/usr/local/share:/usr/share
if [ ! -w /dev/kvm ]; then export VMCTL_VMM=$build/tests/bus/fake-vmm VMCTL_KVM=/dev/null; fi
instance_start

truncate -s 16M "$instance/disk.img"
cat >"$instance/web.xml" <<XML
<domain type='kvm'>
  <name>web</name>
  <memory unit='MiB'>256</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <serial type='pty'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='$instance/disk.img'/><target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
XML
vmctl define "$instance/web.xml" >/dev/null

# serve: Cockpit on a port that is free.
serve() {
    local port
    for port in $(seq 9190 9220); do
        /usr/lib/cockpit/cockpit-ws --local-session=cockpit-bridge --no-tls -p "$port" -a 127.0.0.1 >"$instance/cockpit.log" 2>&1 &
        web_pid=$!
        wait_until 10 answers "$port" && { url=http://127.0.0.1:$port; return; }
        kill "$web_pid" 2>/dev/null
    done
    instance_failed "cockpit-ws did not start"
}
answers() { kill -0 "$web_pid" && perl -MIO::Socket::INET -e "exit !IO::Socket::INET->new('127.0.0.1:$1')"; } 2>/dev/null

serve
mkdir -p "$build/tests/clients"
results=$("$here/cockpit-user" "$url/cockpit/@localhost/machines/index.html#/vms" web "$build/tests/clients")
echo "$results"
if ! vmctl list --all --name | grep -q .; then gone=ok; else gone='not ok'; fi
echo "$gone - vmctl knows that it is gone"
if grep -q '^not ok' <<<"$results"; then tail -n 20 "$instance"/*.log | sed 's/^/# /'; fi
echo "1..$((1 + $(grep -cE '^(not )?ok' <<<"$results")))"
