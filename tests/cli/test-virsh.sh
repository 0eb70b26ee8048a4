#!/bin/bash
# test-virsh: the same command lines for virsh and for vmctl, both on libvirt's test driver: virsh has it in
# its own process, vmctl reaches it through libvirt-dbus on a private bus. What they print and how they exit
# must be the same, but for what the table "differences" allows. Speaks TAP.
#
# As test-virsh-own.sh, with VMCTL_CLI_DRIVER=own: the same on vmctl's own test driver, which each vmctl starts for
# itself, as virsh does. "common-own" says which of the cases are for it, "cases-own" has more, and
# "differences-own" more differences.
set -uo pipefail

top=${VMCTL_TOP_SRCDIR:?}
vmctl=${VMCTL_TOP_BUILDDIR:?}/vmctl
here=$top/tests/cli
# shellcheck disable=SC2034 # the cases name it
data=$here/data
input=/dev/null
uri=test:///default

skip_all() {
    echo "1..0 # SKIP $*"
    exit
}
command -v virsh >/dev/null || skip_all "virsh is not installed"
driver=${VMCTL_CLI_DRIVER:-libvirt-dbus}
[ "$driver" = own ] || libvirt_dbus=$("$here/peer" find) || skip_all "there is no libvirt-dbus"
# Another major version has other words for some things.
case $(virsh --version) in 9.*) ;; *) skip_all "the cases hold for virsh 9" ;; esac

work=$(mktemp -d)
bus_pid='' service_pid=''
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    stop_service
    [ -z "$bus_pid" ] || kill "$bus_pid"
    rm -rf "$work"
}
trap clean_up EXIT

start_bus() {
    if [ "$driver" = own ]; then # no bus that anybody could be on
        export DBUS_SESSION_BUS_ADDRESS=unix:path=$work/none XDG_RUNTIME_DIR=$work
        return
    fi
    cat >"$work/bus.conf" <<XML
<busconfig><type>session</type><listen>unix:path=$work/bus</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>
XML
    dbus-daemon --config-file="$work/bus.conf" --nofork --print-address=3 3>"$work/address" 2>/dev/null &
    bus_pid=$!
    until [ -s "$work/address" ]; do
        kill -0 "$bus_pid" || exit 1
        sleep 0.02
    done
    DBUS_SESSION_BUS_ADDRESS=$(<"$work/address")
    export DBUS_SESSION_BUS_ADDRESS
}

stop_service() {
    [ -n "$service_pid" ] || return 0
    kill "$service_pid"
    wait "$service_pid" 2>/dev/null
    service_pid=''
}

start_service() {
    [ -z "$service_pid" ] && [ "$driver" != own ] || return 0
    env -u G_DEBUG "$libvirt_dbus" --session 2>/dev/null & # what ends vmctl is no matter of its
    service_pid=$!
    gdbus wait --session --timeout 60 org.libvirt
}

# give PROGRAM WORD...: runs it, with $input for its standard input, and keeps what it says and how it ends.
give() {
    local name=$1
    shift
    timeout "${limit:-60}" "$@" >"$work/$name.out" 2>"$work/$name.err" <"$input"
    echo $? >"$work/$name.status"
}

# give_virsh WORD...: some of its commands do their work in a thread and watch it in a loop of events, which can be told
# to end before it has begun and then never ends. So it is asked again, sooner at first: it forgets all that it has done.
give_virsh() {
    local limit
    for limit in 3 5 20 20 60; do
        give virsh virsh -c $uri "$@"
        [ "$(<"$work/virsh.status")" -eq 124 ] || return 0
    done
}

# is_common LINE: whether "common-own" takes it.
is_common() {
    local pattern reason taken=1
    while IFS=$'\t' read -r pattern reason; do
        case $pattern in '#'*) continue ;; esac
        [[ $1 =~ $pattern ]] || continue
        [ -z "$reason" ] || return 1
        taken=0
    done <"$here/common-own"
    return $taken
}

all_cases() {
    local line
    if [ "$driver" != own ]; then
        cat "$here/cases"
        return
    fi
    while IFS= read -r line; do
        if is_common "$line"; then printf '%s\n' "$line"; fi
    done <"$here/cases"
    cat "$here/cases-own"
}

# tables NAME: that file, and that of vmctl's own driver.
tables() {
    cat "$here/$1"
    [ "$driver" != own ] || cat "$here/$1-own"
}

# The rows of the table, read once.
patterns=() streams=() sides=() edits=() used=()
read_differences() {
    local pattern stream side edit reason
    while IFS=$'\t' read -r pattern stream side edit reason; do
        case $pattern in '#'*) continue ;; esac
        [ -n "$reason" ] || exit 1
        patterns+=("$pattern") streams+=("$stream") sides+=("$side") edits+=("$edit") used+=(0)
    done < <(tables differences)
}

# edit NAME STREAM LINE: makes the allowed differences the same.
edit() {
    local i file=$work/$1.$2
    for i in "${!patterns[@]}"; do
        [ "${streams[$i]}" = "$2" ] || continue
        [ "${sides[$i]}" = "$1" ] || [ "${sides[$i]}" = both ] || continue
        [[ $3 =~ ${patterns[$i]} ]] || continue
        sed -E "${edits[$i]}" "$file" >"$file.edited"
        cmp -s "$file" "$file.edited" || used[i]=1
        mv "$file.edited" "$file"
    done
}

n=0
result() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - ${2//#/\\#}"; else echo "not ok $n - ${2//#/\\#}"; fi
}

compare() {
    local line=$1 what status=0
    for what in out err; do
        edit virsh $what "$line"
        edit vmctl $what "$line"
    done
    for what in status out err; do
        diff -u --label "virsh's $what" --label "vmctl's $what" "$work/virsh.$what" "$work/vmctl.$what" >"$work/diff" && continue
        status=1
        sed 's/^/# /' "$work/diff"
    done
    result $status "$line"
}

run_case() {
    local line=$1 changes=''
    case $line in '!'*) changes=1 line=${line#!} ;; esac
    eval "set -- $line"
    start_service || exit 1
    give_virsh "$@"
    give vmctl "$vmctl" -c $uri "$@"
    compare "$line"
    [ -z "$changes" ] || stop_service
}

# run_script NAME: what $work/script has is the standard input of both, which are shells then.
run_script() {
    local name=$1 input=$work/script
    start_service || exit 1
    give_virsh
    give vmctl "$vmctl" -c $uri
    sed -i 's/^Welcome to virsh/Welcome to vmctl/; s/^virsh # /vmctl # /' "$work/virsh.out"
    compare "script: $name"
    case $name in '!'*) stop_service ;; esac
}

# A line that is longer than 80 columns virsh shows in part: what it says of a file has to be short.
run_scripts() {
    local line name=''
    ln -s "$data" "$work/data"
    while IFS= read -r line; do
        case $line in
        '%% '*)
            [ -z "$name" ] || run_script "$name"
            name=${line#%% }
            : >"$work/script"
            ;;
        *) [ -z "$name" ] || printf '%s\n' "${line//\$data/$work/data}" >>"$work/script" ;;
        esac
    done <"$here/scripts"
    run_script "$name"
}

export LC_ALL=C.UTF-8 EDITOR=$work/editor
# Changes nothing but one phrase.
# shellcheck disable=SC2016 # the editor's own argument
printf '#!/bin/sh\nexec sed -i "s/change me/as it is now/" "$1"\n' >"$EDITOR"
chmod +x "$EDITOR"
unset VISUAL LANGUAGE VMCTL_DEFAULT_CONNECT_URI VIRSH_DEFAULT_CONNECT_URI LIBVIRT_DEFAULT_URI
cd /tmp || exit 1
start_bus
read_differences
n_common=$(grep -vc '^#' "$here/differences")
while IFS= read -r line; do
    case $line in '#'*) continue ;; esac
    run_case "$line"
done < <(all_cases)
run_scripts
for i in "${!patterns[@]}"; do
    [ "$driver" != own ] || [ "$i" -ge "$n_common" ] || continue # those of the common table belong to the other run
    result $((!used[i])) "the allowed difference '${patterns[$i]}' (${streams[$i]}) is still met"
done
echo "1..$n"
