# shellcheck shell=bash
# disk-image: what the checks in tests/lab/disk-image share, for them to source: an instance with a running
# daemon, disks that hold a Debian (tests/lab/image), guests that boot it, and a user at its console.

# shellcheck disable=SC2034 # what only some of them use

set -u
exec 3>&1 # where remarks go, from within a check, too
lab=$(dirname "${BASH_SOURCE[0]}")
build=${VMCTL_TOP_BUILDDIR:?built tree}
# shellcheck source=tests/lab/instance.sh
. "$lab/instance.sh"
# shellcheck source=tests/lab/checks.sh
. "$lab/checks.sh"
# shellcheck source=tests/lab/network.sh
. "$lab/network.sh"

export LC_ALL=C
: "${VMCTL_IMAGE:=$("$lab/image" find)}"
trap disk_image_free EXIT
trap 'exit 130' INT TERM
boot_timeout=1500  # s; in the lab it takes about 40, on a busy host many times that
answer_timeout=900 # s; for a command

disk_image_free() {
    instance_free
    if [ -n "${scratch:-}" ] && [ "$ON_KVM" = host ]; then rm -rf "$scratch"; fi
}

# Where they are

# load_module NAME: where this is the lab, whose kernel may have been unpacked and not installed.
load_module() {
    local release root
    [ "$ON_KVM" = lab ] || return 0
    read -r release _ root < <("$lab/kernel" find lab)
    modprobe -d "$root" -S "$release" "$1" 2>/dev/null || :
}

# Sets $scratch: a directory for images in a file system that can do without the page cache, as tmpfs cannot.
# In the lab it is its first disk.
scratch_open() {
    if [ "$ON_KVM" = host ]; then
        scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/disk-image.XXXXXX")
        return
    fi
    scratch=/run/scratch
    mountpoint -q $scratch && return
    load_module ext4
    mkdir -p $scratch
    mkfs.ext4 -q -F /dev/vda && mount /dev/vda $scratch
}

instance_new
scratch_open || instance_failed "there is no room for images"
instance_start

# Prints the path of a disk with a fresh copy of the image: in the lab the next of its disks.
fresh_disk() {
    local n=0 path
    if [ "$ON_KVM" = host ]; then
        path=$(mktemp "$scratch/disk.XXXXXX")
        cp --reflink=auto --sparse=always "$VMCTL_IMAGE" "$path"
    else
        [ ! -e /run/disks-used ] || n=$(cat /run/disks-used)
        echo $((n + 1)) >/run/disks-used
        path=/dev/vd$(printf 'bcdefgh' | cut -c$((n + 1)))
        [ -b "$path" ] || { echo "there are only $n copies of the image" >&2; return 1; }
    fi
    echo "$path"
}

# disk_xml PATH TARGET [DRIVER]: DRIVER are attributes of the driver. The image's format is told by its name.
disk_xml() {
    local type=file name=file format=raw
    if [ -b "$1" ]; then type=block name=dev; fi
    case $1 in *.qcow2) format=qcow2 ;; esac
    echo "<disk type='$type' device='disk'><driver name='qemu' type='$format' ${3:-}/>"
    echo "<source $name='$1'/><target dev='$2' bus='virtio'/></disk>"
}

# overlay PATH BACKING: a qcow2 image with a raw one behind it, whose contents it has to begin with.
overlay() { qemu-img create -q -f qcow2 -b "$2" -F raw "$1"; }

# has_address ADDRESS: the guest, on some card, sooner or later.
has_address() { guest "for i in \$(seq 60); do ip -4 address | grep -F $1 && break; sleep 1; done; ip -4 address | grep -F $1"; }

# Guests

# machine_xml NAME DEVICE...: a PC with the devices, each a piece of XML, and a serial port. Its firmware is
# $firmware; left empty, a BIOS.
machine_xml() {
    local os='<os>'
    if [ -n "${firmware:-}" ]; then os="<os firmware='$firmware'>"; fi
    cat <<XML
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>512</memory>
  <vcpu>${vcpus:-1}</vcpu>
  <iothreads>1</iothreads>
  $os<type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    $(printf '%s\n' "${@:2}")
    <serial type='pty'/>
  </devices>
</domain>
XML
}

# machine_define NAME DEVICE...
machine_define() {
    machine_xml "$@" >"$instance/$1.xml"
    vmctl define "$instance/$1.xml" >/dev/null
}

# A user at its console. What is seen there is in $screen.
screen=$instance/screen
asked=0

# at_console ARG...: opens it by a vmctl command.
at_console() { console_open "$screen" "$@" >"${VMCTL_SCREEN:-/dev/null}"; }

# last_words: of the console, for somebody who wants to know why.
last_words() {
    echo "the console's last words:"
    tail -n 25 "$screen" | tr -d '\r'
    tail -n 5 "$XDG_CACHE_HOME"/vmctl/log/*.log
    guest_threads
    return 1
}

# seen SECONDS TEXT [N]: on the screen, in N lines.
seen() { wait_for "$1" "$screen" "${@:2}" || last_words; }

# asks_for_login [N]: the Nth time (1).
asks_for_login() {
    local end=$((SECONDS + boot_timeout))
    until has_lines "$screen" 'stock login:' "${1:-1}"; do
        if [ $SECONDS -ge $end ] || stands_still; then last_words || return; fi
        sleep 1
    done
}

# keeps NAME: somebody logged in there has it saved for its next start, by which it goes on; its shell remembers, and
# the screen is a new one.
keeps() {
    check "it is told a word" guest 'word=remembered; dmesg --clear'
    check "it is saved" vmctl managedsave "$1"
    console_ended
    check "and is off" prints 'shut off (saved)' domstate "$1" --reason
    check "it goes on" vmctl start "$1"
    at_console console "$1"
    check "its console is there" seen $answer_timeout 'Escape character'
    check "its shell remembers" guest "test \"\$word\" = remembered"
    check "its kernel finds nothing wrong" guest '! dmesg | grep -E "BUG:|WARNING:|Oops|rcu: INFO|I/O error"'
}

# A kernel that says nothing any more says nothing later.
stands_still() { [ $(($(date +%s) - $(stat -c %Y "$screen"))) -gt $patience ]; }

# log_in [N]: as root, when asked the Nth time; then a shell reads lines from there, without an echo.
log_in() {
    console_type root
    seen $answer_timeout 'Password:' "${1:-1}" || return
    console_type vmctl
    seen $answer_timeout 'root@stock:' "${1:-1}" || return
    # The words apart from each other, for what is typed is seen, too.
    console_type "stty -echo; dmesg -n 1; exec env PS1= sh"
    wait_until $answer_timeout shell_answers || last_words
}
shell_answers() {
    asked=$((asked + 1))
    console_type "echo shell-$asked-\$((6 * 7))"
    wait_for 3 "$screen" "shell-$asked-42"
}

# guest COMMAND: is told to the shell; its status is ours, and its output printed.
guest() {
    local mark
    guest_begin "$1"
    mark=asked-$asked-
    wait_for "${guest_timeout:-$answer_timeout}" "$screen" "$mark" || { last_words; return 1; }
    tr -d '\r' <"$screen" | sed "/$mark/q" | tail -n 20
    grep -aqF -- "${mark}0-" "$screen"
}
# guest_begin COMMAND: the same without waiting; guest_ended tells whether it ended, and well.
guest_begin() {
    asked=$((asked + 1))
    console_type "{ $1 ; } 2>&1; echo asked-$asked-\$?-"
}
guest_ended() {
    if wait_for "$1" "$screen" "asked-$asked-" && grep -aqF "asked-$asked-0-" "$screen"; then return; fi
    last_words
}
