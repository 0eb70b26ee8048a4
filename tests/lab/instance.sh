# shellcheck shell=bash
# instance: a session instance of vmctld of one's own, for scripts to source.
#
# Its bus, its directories and its guests are apart from everything else on the host: a private dbus-daemon,
# and XDG_* that point below $instance, a temporary directory. Needs $build, a built tree. What belongs to
# it is known by INSTANCE in its environment; the guests' processes, which have none, by their logs.

# shellcheck disable=SC2154 # build is the caller's
# shellcheck disable=SC2119,SC2120 # arguments that only some callers give
patience=600 # s; for what takes a moment, but where everything is busy
# In a lab that booted quickly, less: there somebody who waits in vain has been seen to, and gets another.
if [ -n "${LAB_BOOT:-}" ]; then
    patience=$((LAB_BOOT * 12))
    patience=$((patience < 240 ? 240 : patience > 600 ? 600 : patience))
fi
instance=
bus_pid=
daemon_pid=

# Sets up directories, environment and bus.
instance_new() {
    instance=$(mktemp -d "${TMPDIR:-/tmp}/vmctl.XXXXXX") # short: a socket's path has at most 107 bytes
    mkdir -m 700 "$instance"/{config,data,cache,run}
    export INSTANCE=$instance
    export XDG_CONFIG_HOME=$instance/config XDG_DATA_HOME=$instance/data
    export XDG_CACHE_HOME=$instance/cache XDG_RUNTIME_DIR=$instance/run
    export VMCTL_VMM=$build/vmctl-vmm
    export PATH=$build:$PATH
    export VMCTL_DEFAULT_CONNECT_URI=qemu:///session
    cat >"$instance/bus.conf" <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=$instance/bus</listen>
  <policy context="default">
    <allow user="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
  </policy>
</busconfig>
CONF
    export DBUS_SESSION_BUS_ADDRESS=unix:path=$instance/bus
    dbus-daemon --config-file="$instance/bus.conf" --nofork --nopidfile --nosyslog 2>"$instance/bus.log" &
    bus_pid=$!
    wait_until $patience test -S "$instance/bus" || instance_failed "the message bus did not start"
}

# Starts the daemon and waits until it serves; "NAME=VALUE" arguments are added to its environment.
instance_start() {
    env "$@" vmctld --session >>"$instance/vmctld.log" 2>&1 &
    daemon_pid=$!
    wait_until $patience instance_serves || instance_failed "vmctld did not start"
}

instance_failed() {
    echo "$1:" >&2
    tail -n 20 "$instance"/*.log >&2
    exit 1
}

instance_serves() {
    busctl --user call org.freedesktop.DBus / org.freedesktop.DBus NameHasOwner s org.libvirt 2>/dev/null |
        grep -q true
}

# instance_stop [SIGNAL]: ends the daemon; guests go on.
instance_stop() {
    [ -n "$daemon_pid" ] || return 0
    kill -s "${1:-TERM}" "$daemon_pid" 2>/dev/null
    wait "$daemon_pid" 2>/dev/null
    daemon_pid=
}

# Processes of this instance that run the VMM.
instance_guests() {
    local dir
    for dir in /proc/[0-9]*; do
        if [ "$(readlink "$dir/exe")" = "$build/vmctl-vmm" ] &&
            [[ $(readlink "$dir/fd/2") = "$instance"/* ]]; then echo "${dir#/proc/}"; fi
    done 2>/dev/null
}

# Ends and removes everything; safe to call at any time.
instance_free() {
    local pid
    [ -n "$instance" ] || return 0
    instance_stop
    for pid in $(instance_guests); do kill -KILL "$pid" 2>/dev/null; done
    if [ -n "$bus_pid" ]; then
        kill "$bus_pid" 2>/dev/null
        wait "$bus_pid" 2>/dev/null
    fi
    rm -rf "$instance"
    instance='' bus_pid=''
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if [ $SECONDS -ge $end ]; then return 1; fi
        sleep 0.1
    done
}

# wait_for SECONDS FILE TEXT [N]: until FILE has TEXT on N lines (1).
wait_for() { wait_until "$1" has_lines "$2" "$3" "${4:-1}"; }
has_lines() {
    local n
    n=$(grep -acF -- "$2" "$1" 2>/dev/null)
    [ "${n:-0}" -ge "$3" ]
}

# state_is DOMAIN STATE
state_is() { [ "$(vmctl domstate "$1" 2>/dev/null)" = "$2" ]; }

# A user at a console. console_open FILE ARG... runs a vmctl command that ends up on one, with the terminal
# that script(1) makes; all that is seen goes to standard output and to FILE, but for the shell's question
# to the terminal where its cursor is: somebody's real terminal would type the answer after the script.
# console_type types a line; console_leave types Ctrl-], console_ended waits where the guest's end is the end
# of its console, too: both give vmctl's exit status.
console_open() {
    local screen=$1 keys=$instance/keys view
    shift
    rm -f "$keys"
    mkfifo "$keys"
    : >"$screen"
    # Not started by script's own redirection: script(1) waits for ever for a child that it does not know.
    exec {view}> >(without_questions | tee -a "$screen")
    script -qefc "vmctl $*" /dev/null <"$keys" >&"$view" 2>&1 &
    console_pid=$!
    exec {console_keys}>"$keys" {view}>&-
}
without_questions() {
    perl -e 'while (sysread STDIN, my $data, 4096) { $data =~ s/\e\[6n//g; syswrite STDOUT, $data }'
}
console_type() { printf '%s\r' "$1" >&"$console_keys"; }
console_leave() {
    printf '\035' >&"$console_keys"
    console_ended
}
console_ended() {
    local status=0
    wait "$console_pid" || status=$?
    exec {console_keys}>&-
    return $status
}
