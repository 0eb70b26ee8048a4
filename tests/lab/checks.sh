# shellcheck shell=bash
# checks: results in TAP, without numbers, for run-checks to count, and what many checks ask of an instance
# (instance.sh). For scripts to source.

# shellcheck disable=SC2154 # instance and patience are instance.sh's

# check NAME COMMAND...: one result. What COMMAND printed is shown when it fails, with the daemon's last words.
# COMMAND runs in this shell, whose children it may wait for.
check() {
    local name=$1 began=$SECONDS
    shift
    if "$@" >"$instance/output" 2>&1; then
        echo "ok - $name"
        return 0
    fi
    if [ "${ON_KVM:-}" = lab ] && [ $((SECONDS - began)) -ge "$patience" ]; then lab_failed "$name" "$*"; fi
    echo "not ok - $name"
    { echo "failed: $*"; cat "$instance/output"; echo "vmctld's log:"; tail -n 8 "$instance/vmctld.log"; } | sed 's/^/#   /'
    return 1
}

# lab_failed NAME COMMAND: in the lab, whose CPU is emulated, its own kernel has been seen to panic, and a guest's to stop
# in the middle of a word, its vCPU running on. So where somebody has waited in vain that is told, and for run-checks to
# try in another lab; what is wrong here stays wrong there. On real KVM it is the check that has failed.
lab_failed() {
    {
        echo "'$1' has waited $patience s in vain: $2"
        tail -n 30 "$instance/output"
        echo "what the guests' threads do:"
        guest_threads
        echo "and why they leave their guests, in a second:"
        guest_exits
    } | sed 's/^/#   /'
    exit 125
}

# guest_threads: what the guests' threads do now, and a second later: name, state, time in user and system mode, system
# call.
guest_threads() {
    local pid dir
    for pid in $(instance_guests) $(instance_guests); do
        for dir in "/proc/$pid"/task/*; do
            echo "$(cat "$dir/comm"): $(sed 's/^.*) //' "$dir/stat" | cut -d' ' -f1,12,13) $(cat "$dir/syscall")"
        done
        sleep 1
    done
}

# guest_exits: what KVM's trace points say of a second: how often of what, and the last of it with the guest's rip.
guest_exits() {
    local tracing=/sys/kernel/tracing
    mountpoint -q $tracing || mount -t tracefs tracefs $tracing || return 0
    echo 1 >$tracing/events/kvm/enable
    sleep 1
    echo 0 >$tracing/events/kvm/enable
    grep -v '^#' $tracing/trace | sed 's/.*: \(kvm_[a-z_]*: [a-z]* *[^ ]*\).*/\1/' | sort | uniq -c | sort -rn | head -n 20
    tail -n 20 $tracing/trace
}

# guest_off NAME: it powers off.
guest_off() { wait_until "$patience" state_is "$1" 'shut off'; }

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
