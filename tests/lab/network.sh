# shellcheck shell=bash
# network: a bridge of the host's, for guests to be on, and who gives them addresses. For scripts to source that have an
# instance (instance.sh). On somebody's host their network is their own (network_apart).

# shellcheck disable=SC2034,SC2154 # bridge_xml is for documents; instance is instance.sh's

# network_apart SCRIPT: before anything else, with "$0".
network_apart() {
    if [ "$ON_KVM" = host ] && [ -z "${APART:-}" ]; then APART=1 exec unshare --net --map-root-user bash "$1"; fi
}

bridge_xml="<interface type='bridge'><source bridge='br-vmctl'/><model type='virtio'/></interface>"

# bridge: br-vmctl, with the address 10.77.0.1.
bridge() {
    ip link set lo up
    ip link show br-vmctl >/dev/null 2>&1 && return
    ip link add br-vmctl type bridge && ip address add 10.77.0.1/24 dev br-vmctl && ip link set br-vmctl up
}

# serve_addresses: one, 10.77.0.100, by DHCP.
serve_addresses() {
    cat >"$instance/udhcpd.conf" <<CONF
interface br-vmctl
start 10.77.0.100
end 10.77.0.100
lease_file $instance/leases
pidfile $instance/udhcpd.pid
option subnet 255.255.255.0
CONF
    : >"$instance/leases"
    busybox udhcpd -f "$instance/udhcpd.conf" 2>"$instance/udhcpd.log" &
}

# serve_boot DIRECTORY FILE: likewise, and FILE to boot, by TFTP. Its process is $boot_server; it does not give up rights,
# which it cannot where it is root in a user name space alone.
serve_boot() {
    dnsmasq --no-daemon --conf-file=/dev/null --pid-file="$instance/dnsmasq.pid" --port=0 --interface=br-vmctl \
        --bind-interfaces --dhcp-leasefile="$instance/leases" --dhcp-range=10.77.0.100,10.77.0.100,255.255.255.0 \
        --dhcp-boot="$2" --enable-tftp --tftp-root="$1" 2>"$instance/dnsmasq.log" &
    boot_server=$!
}
