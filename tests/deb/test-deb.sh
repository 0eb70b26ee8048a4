#!/bin/bash
# test-deb: the Debian packages are built, have what they should, are installed into a root of their own, and leave
# nothing there when they are purged. "make check-deb" runs it, which builds everything once more. Speaks TAP.
set -uo pipefail

top=${VMCTL_TOP_BUILDDIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v dh >/dev/null || { echo "1..0 # SKIP there is no debhelper" && exit; }

n=0
check() {
    n=$((n + 1))
    if "${@:2}" >"$work/said" 2>&1; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        tail -n 30 "$work/said" | sed 's/^/# /'
    fi
}

root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc"
touch "$root/var/lib/dpkg/status"
in_root() {
    dpkg --root="$root" --force-script-chrootless --force-depends --force-not-root --log="$work/dpkg.log" "$@"
}
status_of() { dpkg-query --admindir="$root/var/lib/dpkg" -W -f='${db:Status-Status}' vmctl 2>/dev/null; }
field() { dpkg-deb -f "$deb" "$1"; }
has() { dpkg-deb -c "$deb" | awk '{ print $6 }' | grep -qxF "./$1"; }
has_all() {
    local file status=0
    for file in usr/bin/vmctl usr/sbin/vmctld usr/libexec/vmctl/vmctl-vmm usr/libexec/vmctl/vmctl-vsock \
        usr/libexec/vmctl/vmctl-connect \
        usr/share/dbus-1/system-services/org.libvirt.service usr/share/dbus-1/services/org.libvirt.service \
        usr/share/dbus-1/system.d/org.libvirt.conf usr/share/polkit-1/actions/org.vmctl.policy \
        usr/share/locale/de/LC_MESSAGES/vmctl.mo usr/share/locale/zh_CN/LC_MESSAGES/vmctl.mo \
        usr/share/man/man1/vmctl.1.gz usr/share/man/man5/vmctld.conf.5.gz usr/share/man/man7/vmctl-scripting.7.gz \
        usr/share/bash-completion/completions/vmctl lib/systemd/system/vmctld.service etc/logrotate.d/vmctl; do
        has $file || { echo "there is no $file" && status=1; }
    done
    return $status
}
# What cockpit-machines depends on, as apt sees it; libvirt-clients stays libvirt's own.
provides() { [[ $(field Provides) == *"$1 (= "* && $(field Conflicts) == *"$1"* && $(field Replaces) == *"$1"* ]]; }
# apt_takes STATUS: on a system with the packages of that file, apt installs cockpit-machines with it, and nothing of what it
# stands for.
apt_takes() {
    local said
    said=$(apt-get -s --no-install-recommends -o Dir::State::Status="$1" install "$deb" cockpit-machines 2>&1) ||
        { echo "$said" && return 1; }
    grep -E '^(Inst|Remv) (vmctl|cockpit|libvirt)' <<<"$said"
    grep -q '^Inst vmctl ' <<<"$said" && grep -q '^Inst cockpit-machines ' <<<"$said" &&
        ! grep -E '^Inst libvirt-(daemon|dbus)' <<<"$said"
}
is_gone() { [ -z "$(status_of)" ] && ! find "$root" -path "$root/var/lib/dpkg" -prune -o -type f -print -o -name '*vmctl*' -print | grep .; }
runs() { "$root/usr/bin/vmctl" --version; }
# logrotate reads the package's file without a complaint, and finds the logs that it is about.
rotates() {
    local conf=$work/logrotate said
    sed "s|/var/log|$root/var/log|" "$root/etc/logrotate.d/vmctl" >"$conf" && chmod 644 "$conf"
    mkdir -p "$root/var/log/vmctl" && chmod 700 "$root/var/log/vmctl"
    echo line >"$root/var/log/vmctl/web.log"
    said=$(PATH=$PATH:/usr/sbin logrotate -d -s "$work/state" "$conf" 2>&1) || { echo "$said" && return 1; }
    echo "$said"
    grep -q "considering log $root/var/log/vmctl/web.log" <<<"$said" && ! grep -qi error <<<"$said"
}

rm -rf "$top/deb"
check "the packages are built" make -C "$top" --no-print-directory deb
deb=$(find "$top/deb" -name 'vmctl_*_amd64.deb' | head -n 1)
check "with a source package" test -n "$(find "$top/deb" -name 'vmctl_*.dsc')"
check "the package has all files" has_all
check "it stands for libvirt-daemon-system" provides libvirt-daemon-system
check "it stands for libvirt-dbus" provides libvirt-dbus
touch "$work/no-packages"
if apt-cache show cockpit-machines >/dev/null 2>&1; then
    check "apt installs cockpit-machines with it" apt_takes "$work/no-packages"
fi
check "it is installed" in_root --install "$deb"
check "dpkg says so" test "$(status_of)" = installed
check "its program runs" runs
check "logrotate takes its file" rotates
mkdir -p "$root/etc/vmctl/domains" "$root/var/lib/vmctl/save" "$root/var/log/vmctl"
touch "$root/etc/vmctl/domains/a.xml" "$root/var/lib/vmctl/save/a" "$root/var/log/vmctl/a.log"
check "it is removed" in_root --remove vmctl
check "and leaves what was defined" test -e "$root/etc/vmctl/domains/a.xml"
check "it is purged" in_root --purge vmctl
check "and nothing is left" is_gone
echo "1..$n"
