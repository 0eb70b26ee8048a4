# shellcheck shell=bash
# units-access: who may do what with the system instance, as the genuine polkitd decides, for tests/lab/systemd/units to
# source. Its polkit knows vmctl's actions and rules alone, not those that this machine has.

# shellcheck disable=SC2154 # instance is instance.sh's

# as USER COMMAND...: with the groups that the user is in.
as() {
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs "$@"
}

# refused USER TEXT COMMAND...: it fails with TEXT on its standard error, and prints nothing else.
refused() {
    local user=$1 text=$2 printed
    shift 2
    if printed=$(as "$user" "$@" 2>"$instance/refused"); then echo "'$*' was not refused" && return 1; fi
    [ -z "$printed" ] && grep -q -- "$text" "$instance/refused" && return
    printf 'printed: %s\nerrors: ' "$printed"
    cat "$instance/refused"
    return 1
}

# lists USER NAMES: all domains that are shown.
lists() { [ "$(as "$1" vmctl list --all --name | sed '/^$/d' | sort | xargs)" = "$2" ]; }


# with_password USER ARG...: vmctl at a terminal, at which the administrator's password is said when it is asked for.
with_password() {
    local user=$1 screen=$instance/screen keys=$instance/keys pid status=0
    shift
    rm -f "$keys" && mkfifo "$keys"
    script -qefc "setpriv --reuid $user --regid $user --init-groups vmctl $*" /dev/null <"$keys" >"$screen" 2>&1 &
    pid=$!
    exec {fd}>"$keys"
    if wait_for 300 "$screen" 'Password:'; then echo secret >&"$fd"; else kill $pid 2>/dev/null; fi
    wait $pid || status=$?
    exec {fd}>&-
    cat "$screen"
    return $status
}

# access_set_up: users, and the rules about them; "stranger" is denied all, "watcher" has what everybody has, "manager" is
# in the group, "ci" is what the rules make of it.
access_set_up() {
    local dir user
    for dir in /usr/share/polkit-1/actions /usr/share/polkit-1/rules.d /etc/polkit-1/rules.d; do
        mount -t tmpfs -o mode=755 tmpfs $dir || return
    done
    cp -r /usr/local/share/polkit-1/. /usr/share/polkit-1/
    groupadd -f -r libvirt
    for user in stranger watcher manager ci; do useradd -M -U $user || return; done
    usermod -a -G libvirt manager
    echo root:secret | chpasswd
    cat >/etc/polkit-1/rules.d/10-units.rules <<RULES
polkit.addRule(function (action, subject) {
    if (action.id.indexOf("org.libvirt.") == 0 && subject.user == "stranger")
        return polkit.Result.NO;
});
polkit.addRule(function (action, subject) {
    if (subject.user != "ci" || action.lookup("connect_driver") != "QEMU")
        return polkit.Result.NOT_HANDLED;
    if (action.id == "org.libvirt.unix.manage")
        return polkit.Result.YES;
    if (/^org\.libvirt\.api\.domain\.(start|stop)$/.test(action.id) && action.lookup("domain_name") == "web")
        return polkit.Result.YES;
    if (action.id == "org.libvirt.api.domain.getattr" && action.lookup("domain_uuid") == "$1")
        return polkit.Result.NO;
});
RULES
    chmod 711 "$instance"
    systemctl restart polkit
}

# access_daemon MODE: the daemon with access=MODE.
access_daemon() {
    mkdir -p /usr/local/etc/vmctl
    printf '[vmctld]\naccess=%s\n' "$1" >/usr/local/etc/vmctl/vmctld.conf
    systemctl restart vmctld
}

no_polkit() {
    systemctl stop polkit
    rm /usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service && systemctl reload dbus
}

# access_checks: "demo" and "web" are there, and off.
access_checks() {
    local root=/org/libvirt/QEMU no='access denied by policy' web
    local challenge="no polkit agent available to authenticate action 'org.libvirt.unix.manage'"
    local api="access denied: 'QEMU' denied access"

    web=$(busctl call org.libvirt $root org.libvirt.Connect DomainLookupByName s web | cut -d'"' -f2)
    check 'polkit has rules about users' access_set_up "$(vmctl domuuid demo | head -n 1)"

    # Whom a rule denies gets polkit's refusal and no data.
    check 'who may not look is not shown a list' refused stranger "$no" vmctl list --all
    check 'nor one guest' refused stranger "$no" vmctl dominfo web
    check 'nor the host' refused stranger "$no" vmctl nodeinfo
    check 'nor by another client' refused stranger "$no" busctl call org.libvirt $root org.libvirt.Connect ListDomains u 0
    check 'nor a property' refused stranger "$no" busctl get-property org.libvirt "$web" org.libvirt.Domain Name
    check 'nor all of them' refused stranger "$no" \
        busctl call org.libvirt "$web" org.freedesktop.DBus.Properties GetAll s org.libvirt.Domain
    check 'nor the simulated guest' refused stranger "$no" \
        busctl call org.libvirt /org/libvirt/Test org.libvirt.Connect ListDomains u 0
    check 'and may change nothing' refused stranger "$no" vmctl start web

    # By default everybody may look, and nobody may do more who cannot say a password.
    check 'who may look is shown a list' lists watcher 'demo naps web'
    check 'and a document' as watcher vmctl dumpxml web
    check 'and may not start it' refused watcher "$challenge" vmctl start web
    check 'nor undefine it' refused watcher "$challenge" vmctl undefine web
    check 'nor define one' refused watcher "$challenge" vmctl define "$instance/web.xml"
    check 'nor see what is secret' refused watcher "$challenge" vmctl dumpxml web --security-info
    check 'nor set a property' refused watcher "$challenge" \
        busctl set-property org.libvirt "$web" org.libvirt.Domain Autostart b true

    # An administrator's password lets anybody do it.
    check 'who says the password may start it' with_password watcher start web
    check 'it runs' state_is web running
    check 'and end it' with_password watcher destroy web

    # The group has no need of one, and root none of polkit.
    check 'a member of the group may start it' as manager vmctl start web
    check 'and end it' as manager vmctl destroy web

    # Rules for each guest.
    check 'the daemon asks for each permission' access_daemon api
    check 'a rule lets one guest be started' as ci vmctl start web
    check 'it runs' state_is web running
    check 'and not another one' refused ci "$api" vmctl start demo
    check 'nor this one be changed otherwise' refused ci "$api" vmctl suspend web
    check 'a rule hides one guest' lists ci 'naps web'
    check 'and its state' refused ci "$api" vmctl domid demo
    check 'a rule lets one guest be ended' as ci vmctl destroy web
    check 'the group alone is not enough then' refused manager "$api" vmctl start web
    check 'root may do it' vmctl start web
    check 'all of it' vmctl destroy web
    check 'the daemon asks as it did' access_daemon polkit

    check 'polkit goes' no_polkit
    check 'a member of the group may go on' as manager vmctl list --all
    check 'root, too' vmctl list --all
    check 'nobody else' refused watcher 'polkit is not there to be asked' vmctl list --all
}
