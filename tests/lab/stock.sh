# shellcheck shell=bash
# stock: what the checks in tests/lab/stock share, for them to source: an instance with a running daemon,
# guests with a stock kernel, and results in TAP, without numbers, for test-stock-kernel.sh to count.

set -u
stock=$(dirname "${BASH_SOURCE[0]}")
build=${VMCTL_TOP_BUILDDIR:?built tree}
# shellcheck source=tests/lab/instance.sh
. "$stock/instance.sh"

export LC_ALL=C
export G_TEST_BUILDDIR=$build/tests # for vmm-run to find the VMM
trap instance_free EXIT
trap 'exit 130' INT TERM
instance_new
read -r release vmlinuz root < <("$stock/kernel" find guest)
"$stock/../guest/make-initramfs" "$instance/initramfs" "$release" "$root"

boot_timeout=180 # s; in the lab it takes about 5, on a busy host many times that

# check NAME COMMAND...: one result. What COMMAND printed is shown when it fails, with the daemon's last words.
# COMMAND runs in this shell, whose children it may wait for.
check() {
    local name=$1
    shift
    if "$@" >"$instance/output" 2>&1; then
        echo "ok - $name"
        return 0
    fi
    echo "not ok - $name"
    { echo "failed: $*"; cat "$instance/output"; echo "vmctld's log:"; tail -n 8 "$instance/vmctld.log"; } | sed 's/^/#   /'
    return 1
}

# guest_xml NAME VCPUS CMDLINE [SERIAL]: SERIAL is the type of the serial port; a file, its output in
# $instance/NAME.serial, where it is left out.
guest_xml() {
    local serial="<serial type='file'><source path='$instance/$1.serial'/></serial>"
    if [ $# -gt 3 ]; then serial="<serial type='$4'/>"; fi
    cat <<XML
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>192</memory>
  <vcpu>$2</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <kernel>$vmlinuz</kernel>
    <initrd>$instance/initramfs</initrd>
    <cmdline>console=ttyS0 quiet $3</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>$serial</devices>
</domain>
XML
}

guest_define() {
    guest_xml "$@" >"$instance/$1.xml"
    vmctl define "$instance/$1.xml" >/dev/null
}

# guest_ready NAME CPUS [N]: the initramfs was reached, N times.
guest_ready() {
    wait_for $boot_timeout "$instance/$1.serial" "vmctl-guest: ready, $2 CPUs online" "${3:-1}" && return
    echo "the serial port's last words:"
    tail -n 5 "$instance/$1.serial"
    return 1
}

# guest_off NAME: it powers off.
guest_off() { wait_until 30 state_is "$1" 'shut off'; }

# fails_with TEXT ARG...: vmctl ARG... exits with 1 and exactly these lines on its standard error.
fails_with() {
    local text=$1 errors status=0
    shift
    errors=$(vmctl "$@" 2>&1 >/dev/null) || status=$?
    [ $status -eq 1 ] && [ "$errors" = "$text" ] && return
    printf 'exit status %s, errors:\n%s\nexpected:\n%s\n' $status "$errors" "$text"
    return 1
}

# prints TEXT ARG...: vmctl ARG... prints TEXT, and an empty line or none.
prints() {
    local text=$1 output
    shift
    output=$(vmctl "$@") && [ "$output" = "$text" ] && return
    printf 'printed: %s\n' "$output"
    return 1
}
