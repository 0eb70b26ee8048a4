# shellcheck shell=bash
# stock: what the checks in tests/lab/stock share, for them to source: an instance, and guests with a stock
# kernel.

set -u
stock=$(dirname "${BASH_SOURCE[0]}")
build=${VMCTL_TOP_BUILDDIR:?built tree}
# shellcheck source=tests/lab/instance.sh
. "$stock/instance.sh"
# shellcheck source=tests/lab/checks.sh
. "$stock/checks.sh"

export LC_ALL=C
export G_TEST_BUILDDIR=$build/tests # for vmm-run to find the VMM
trap instance_free EXIT
trap 'exit 130' INT TERM
instance_new
read -r release vmlinuz root < <("$stock/kernel" find guest)
"$stock/../guest/make-initramfs" "$instance/initramfs" "$release" "$root"

boot_timeout=600 # s; in the lab it takes about 5, on a busy host many times that

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
guest_ready() { guest_boots "$instance/$1.serial" "vmctl-guest: ready, $2 CPUs online" "${3:-1}"; }

# guest_boots FILE TEXT [N]: its console, which FILE has, comes to say TEXT, N times.
guest_boots() {
    wait_for $boot_timeout "$@" && return
    echo "the console's last words:"
    tail -n 5 "$1"
    return 1
}

# says TEXT COMMAND: the guest's shell on the console open on the file $screen, in one line that COMMAND prints.
# shellcheck disable=SC2154 # screen is the caller's
asked=0
says() {
    asked=$((asked + 1))
    console_type "echo \"=\$($2)=\"; echo asked-\$(($asked + 0))-"
    wait_for $patience "$screen" "asked-$asked-" && grep -aqF -- "=$1=" "$screen" && return
    tail -n 4 "$screen"
    return 1
}
