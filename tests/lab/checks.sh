# shellcheck shell=bash
# checks: results in TAP, without numbers, for run-checks to count, and what many checks ask of an instance
# (instance.sh). For scripts to source.

# shellcheck disable=SC2154 # instance is instance.sh's

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
