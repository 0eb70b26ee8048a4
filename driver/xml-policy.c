#include "driver/xml-policy.h"

#include "driver/error.h"

#include <string.h>

#define QEMU_NS   "{http://libvirt.org/schemas/domain/qemu/1.0}"
#define XEN_NS    "{http://libvirt.org/schemas/domain/xen/1.0}"
#define LXC_NS    "{http://libvirt.org/schemas/domain/lxc/1.0}"
#define BHYVE_NS  "{http://libvirt.org/schemas/domain/bhyve/1.0}"
#define VMWARE_NS "{http://libvirt.org/schemas/domain/vmware/1.0}"

/* Types of <address> that this machine has no bus for. */
#define ADDRESS_TYPES                                                                              \
    "drive virtio-serial ccid usb spapr-vio virtio-s390 ccw virtio-mmio isa dimm unassigned"

/* The rows of an <address> that can be a PCI one. */
/* clang-format off */
#define PCI_ADDRESS_ROWS(parent)                                                                   \
    { parent "/address", XML_HONOUR },                                                             \
    { parent "/address/@type", XML_HONOUR, ADDRESS_TYPES },                                        \
    { parent "/address/@domain", XML_HONOUR },                                                     \
    { parent "/address/@bus", XML_HONOUR },                                                        \
    { parent "/address/@slot", XML_HONOUR },                                                       \
    { parent "/address/@function", XML_HONOUR },                                                   \
    { parent "/address/@multifunction", XML_HONOUR },                                              \
    { parent "/address/@base", XML_REJECT },                                                       \
    { parent "/address/@controller", XML_REJECT },                                                 \
    { parent "/address/@cssid", XML_REJECT },                                                      \
    { parent "/address/@devno", XML_REJECT },                                                      \
    { parent "/address/@iobase", XML_REJECT },                                                     \
    { parent "/address/@irq", XML_REJECT },                                                        \
    { parent "/address/@port", XML_REJECT },                                                       \
    { parent "/address/@reg", XML_REJECT },                                                        \
    { parent "/address/@ssid", XML_REJECT },                                                       \
    { parent "/address/@target", XML_REJECT },                                                     \
    { parent "/address/@unit", XML_REJECT },                                                       \
    { parent "/address/zpci", XML_REJECT }
/* clang-format on */

/* The rows of an <address> that is a port of a virtio-serial controller. */
/* clang-format off */
#define VIRTIO_SERIAL_ADDRESS_ROWS(parent)                                                         \
    { parent "/address", XML_HONOUR },                                                             \
    { parent "/address/@type", XML_HONOUR,                                                         \
      "pci drive ccid usb spapr-vio virtio-s390 ccw virtio-mmio isa dimm unassigned" },            \
    { parent "/address/@controller", XML_HONOUR },                                                 \
    { parent "/address/@bus", XML_HONOUR },                                                        \
    { parent "/address/@port", XML_HONOUR }
/* clang-format on */

#define CHARDEV_TYPES "dev pipe null vc stdio udp tcp spicevmc spiceport nmdm dbus qemu-vdagent"

/* clang-format off */
const XmlPolicy xml_policies[] = {
    { "@type", XML_HONOUR, "qemu xen linux kqemu test lxc uml openvz vz parallels vmware hyperv vbox phyp bhyve hvf none" },
    { "@id", XML_ACCEPT, NULL, "the driver gives out ids; libvirt ignores it in a definition too" },

    { "name", XML_HONOUR },
    { "uuid", XML_HONOUR },
    { "genid", XML_REJECT },
    { "title", XML_HONOUR },
    { "description", XML_HONOUR },
    { "metadata", XML_VERBATIM },

    { "memory", XML_HONOUR },
    { "memory/@unit", XML_HONOUR },
    { "memory/@dumpCore", XML_REJECT },
    { "currentMemory", XML_HONOUR },
    { "currentMemory/@unit", XML_HONOUR },
    { "maxMemory", XML_REJECT },
    { "memoryBacking", XML_HONOUR },
    { "memoryBacking/access", XML_HONOUR },
    { "memoryBacking/access/@mode", XML_HONOUR },
    { "memoryBacking/allocation", XML_HONOUR },
    { "memoryBacking/allocation/@mode", XML_HONOUR },
    { "memoryBacking/allocation/@threads", XML_HONOUR },
    { "memoryBacking/discard", XML_HONOUR },
    { "memoryBacking/hugepages", XML_HONOUR },
    { "memoryBacking/hugepages/page", XML_HONOUR },
    { "memoryBacking/locked", XML_HONOUR },
    { "memoryBacking/nosharepages", XML_HONOUR },
    { "memoryBacking/source", XML_HONOUR },
    { "memoryBacking/source/@type", XML_HONOUR },
    { "memtune", XML_REJECT },
    { "blkiotune", XML_REJECT },
    { "cputune", XML_REJECT },
    { "numatune", XML_REJECT },
    { "resource", XML_REJECT },
    { "vcpu", XML_HONOUR },
    { "vcpu/@placement", XML_HONOUR, "auto" },
    { "vcpu/@current", XML_HONOUR },
    { "vcpu/@cpuset", XML_REJECT },
    { "vcpus", XML_REJECT },
    { "iothreads", XML_REJECT },
    { "iothreadids", XML_REJECT },
    { "defaultiothread", XML_REJECT },

    { "bootloader", XML_REJECT },
    { "bootloader_args", XML_REJECT },
    { "os", XML_HONOUR },
    { "os/@firmware", XML_HONOUR },
    { "os/type", XML_HONOUR, "xen linux xenpvh exe uml" },
    { "os/type/@arch", XML_HONOUR,
      "alpha armv6l armv7l armv7b aarch64 cris i686 ia64 lm32 loongarch64 m68k microblaze microblazeel mips "
      "mipsel mips64 mips64el openrisc parisc parisc64 ppc ppc64 ppc64le ppcemb riscv32 riscv64 s390 s390x "
      "sh4 sh4eb sparc sparc64 unicore32 xtensa xtensaeb" },
    { "os/type/@machine", XML_HONOUR },
    { "os/kernel", XML_HONOUR },
    { "os/initrd", XML_HONOUR },
    { "os/cmdline", XML_HONOUR },
    { "os/boot", XML_EACH },
    { "os/boot/@dev", XML_HONOUR },
    { "os/acpi", XML_REJECT },
    { "os/bios", XML_HONOUR },
    { "os/bios/@rebootTimeout", XML_HONOUR },
    { "os/bios/@useserial", XML_HONOUR },
    { "os/bootmenu", XML_HONOUR },
    { "os/bootmenu/@enable", XML_HONOUR },
    { "os/bootmenu/@timeout", XML_HONOUR },
    { "os/dtb", XML_REJECT },
    { "os/firmware", XML_HONOUR },
    { "os/firmware/feature", XML_EACH },
    { "os/init", XML_REJECT },
    { "os/initarg", XML_REJECT },
    { "os/initdir", XML_REJECT },
    { "os/initenv", XML_REJECT },
    { "os/initgroup", XML_REJECT },
    { "os/inituser", XML_REJECT },
    { "os/loader", XML_HONOUR },
    { "os/loader/@readonly", XML_HONOUR },
    { "os/loader/@secure", XML_HONOUR },
    { "os/loader/@stateless", XML_HONOUR },
    { "os/loader/@type", XML_HONOUR },
    { "os/nvram", XML_HONOUR },
    { "os/nvram/@template", XML_HONOUR },
    { "os/nvram/@type", XML_HONOUR, "block volume network dir nvme vhostuser vhostvdpa" },
    { "os/nvram/source", XML_HONOUR },
    { "os/root", XML_REJECT },
    { "os/smbios", XML_HONOUR },
    { "os/smbios/@mode", XML_HONOUR },
    { "sysinfo", XML_EACH },
    { "sysinfo/@type", XML_HONOUR },
    { "sysinfo/bios", XML_HONOUR },
    { "sysinfo/bios/entry", XML_EACH },
    { "sysinfo/system", XML_HONOUR },
    { "sysinfo/system/entry", XML_EACH },
    { "sysinfo/baseBoard", XML_HONOUR },
    { "sysinfo/baseBoard/entry", XML_EACH },
    { "sysinfo/chassis", XML_HONOUR },
    { "sysinfo/chassis/entry", XML_EACH },
    { "sysinfo/oemStrings", XML_HONOUR },
    { "sysinfo/oemStrings/entry", XML_EACH },
    { "sysinfo/entry", XML_EACH },
    { "sysinfo/entry/@name", XML_HONOUR },
    { "sysinfo/entry/@file", XML_HONOUR },
    { "idmap", XML_REJECT },

    { "features", XML_HONOUR },
    { "features/acpi", XML_EACH },
    { "features/apic", XML_EACH },
    { "features/apic/@eoi", XML_HONOUR },
    { "features/pae", XML_EACH },
    { "features/vmport", XML_EACH },
    { "features/vmport/@state", XML_ACCEPT, "off", "this machine has no VMware port" },
    { "features/capabilities", XML_REJECT },
    { "features/ccf-assist", XML_REJECT },
    { "features/cfpc", XML_REJECT },
    { "features/gic", XML_REJECT },
    { "features/hap", XML_REJECT },
    { "features/hpt", XML_REJECT },
    { "features/htm", XML_REJECT },
    { "features/hyperv", XML_REJECT },
    { "features/ibs", XML_REJECT },
    { "features/ioapic", XML_EACH },
    { "features/ioapic/@driver", XML_ACCEPT, "kvm", "it is the kernel's" },
    { "features/kvm", XML_EACH },
    { "features/kvm/dirty-ring", XML_REJECT },
    { "features/kvm/hidden", XML_EACH },
    { "features/kvm/hint-dedicated", XML_EACH },
    { "features/kvm/poll-control", XML_EACH },
    { "features/kvm/pv-ipi", XML_EACH },
    { "features/msrs", XML_REJECT },
    { "features/nested-hv", XML_REJECT },
    { "features/pmu", XML_EACH },
    { "features/pmu/@state", XML_HONOUR },
    { "features/privnet", XML_REJECT },
    { "features/pvspinlock", XML_EACH },
    { "features/pvspinlock/@state", XML_HONOUR },
    { "features/sbbc", XML_REJECT },
    { "features/smm", XML_REJECT },
    { "features/tcg", XML_REJECT },
    { "features/viridian", XML_REJECT },
    { "features/vmcoreinfo", XML_REJECT },
    { "features/xen", XML_REJECT },

    { "cpu", XML_HONOUR },
    { "cpu/@mode", XML_HONOUR },
    { "cpu/@match", XML_HONOUR },
    { "cpu/@check", XML_HONOUR },
    { "cpu/@migratable", XML_HONOUR },
    { "cpu/topology", XML_HONOUR },
    { "cpu/topology/@sockets", XML_HONOUR },
    { "cpu/topology/@dies", XML_HONOUR },
    { "cpu/topology/@cores", XML_HONOUR },
    { "cpu/topology/@threads", XML_HONOUR },
    { "cpu/cache", XML_HONOUR },
    { "cpu/cache/@level", XML_HONOUR },
    { "cpu/cache/@mode", XML_HONOUR },
    { "cpu/feature", XML_EACH },
    { "cpu/feature/@name", XML_HONOUR },
    { "cpu/feature/@policy", XML_HONOUR },
    { "cpu/maxphysaddr", XML_HONOUR },
    { "cpu/maxphysaddr/@bits", XML_HONOUR },
    { "cpu/maxphysaddr/@mode", XML_HONOUR },
    { "cpu/model", XML_HONOUR },
    { "cpu/model/@fallback", XML_HONOUR },
    { "cpu/model/@vendor_id", XML_HONOUR },
    { "cpu/numa", XML_REJECT },
    { "cpu/vendor", XML_HONOUR },

    { "clock", XML_HONOUR },
    { "clock/@offset", XML_HONOUR, "timezone variable absolute" },
    { "clock/@adjustment", XML_REJECT },
    { "clock/@basis", XML_REJECT },
    { "clock/@start", XML_REJECT },
    { "clock/@timezone", XML_REJECT },
    { "clock/timer", XML_EACH },
    { "clock/timer/@name", XML_HONOUR, "platform armvtimer" },
    { "clock/timer/@present", XML_HONOUR },
    { "clock/timer/@tickpolicy", XML_HONOUR },
    { "clock/timer/@track", XML_HONOUR },
    { "clock/timer/@frequency", XML_HONOUR },
    { "clock/timer/@mode", XML_HONOUR },
    { "clock/timer/catchup", XML_REJECT },

    { "on_poweroff", XML_HONOUR, "rename-restart coredump-destroy coredump-restart" },
    { "on_reboot", XML_HONOUR, "rename-restart coredump-destroy coredump-restart" },
    { "on_crash", XML_HONOUR, "rename-restart coredump-destroy coredump-restart" },
    { "on_lockfailure", XML_REJECT },
    { "pm", XML_HONOUR },
    { "pm/suspend-to-mem", XML_HONOUR },
    { "pm/suspend-to-mem/@enabled", XML_HONOUR, "yes" },
    { "pm/suspend-to-disk", XML_HONOUR },
    { "pm/suspend-to-disk/@enabled", XML_HONOUR, "yes" },
    { "perf", XML_REJECT },

    { "devices", XML_HONOUR },
    { "devices/emulator", XML_HONOUR },
    { "devices/interface", XML_EACH },
    { "devices/interface/@type", XML_HONOUR,
      "server client mcast udp network internal direct hostdev vhostuser vdpa null vds" },
    { "devices/interface/@managed", XML_REJECT },
    { "devices/interface/@trustGuestRxFilters", XML_REJECT },
    { "devices/interface/acpi", XML_REJECT },
    { "devices/interface/backend", XML_HONOUR },
    { "devices/interface/backend/@logFile", XML_REJECT },
    { "devices/interface/backend/@tap", XML_REJECT },
    { "devices/interface/backend/@type", XML_HONOUR },
    { "devices/interface/backend/@vhost", XML_REJECT },
    { "devices/interface/backenddomain", XML_REJECT },
    { "devices/interface/bandwidth", XML_REJECT },
    { "devices/interface/coalesce", XML_REJECT },
    { "devices/interface/downscript", XML_REJECT },
    { "devices/interface/filterref", XML_REJECT },
    { "devices/interface/guest", XML_REJECT },
    { "devices/interface/ip", XML_REJECT },
    { "devices/interface/port", XML_REJECT },
    { "devices/interface/portForward", XML_REJECT },
    { "devices/interface/rom", XML_REJECT },
    { "devices/interface/route", XML_REJECT },
    { "devices/interface/script", XML_REJECT },
    { "devices/interface/teaming", XML_REJECT },
    { "devices/interface/tune", XML_REJECT },
    { "devices/interface/virtualport", XML_REJECT },
    { "devices/interface/vlan", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/interface"),
    { "devices/interface/alias", XML_HONOUR },
    { "devices/interface/alias/@name", XML_HONOUR },
    { "devices/interface/boot", XML_HONOUR },
    { "devices/interface/boot/@loadparm", XML_REJECT },
    { "devices/interface/boot/@order", XML_HONOUR },
    { "devices/interface/driver", XML_HONOUR },
    { "devices/interface/driver/@ats", XML_ACCEPT, "off", "the machine has no IOMMU" },
    { "devices/interface/driver/@event_idx", XML_ACCEPT, "on", "queues have it" },
    { "devices/interface/driver/@ioeventfd", XML_ACCEPT, "on", "queues have it" },
    { "devices/interface/driver/@iommu", XML_ACCEPT, "off", "the machine has no IOMMU" },
    { "devices/interface/driver/@name", XML_HONOUR, "vhost" },
    { "devices/interface/driver/@packed", XML_ACCEPT, "off", "queues are split ones" },
    { "devices/interface/driver/@page_per_vq", XML_ACCEPT, "off", "queues share a page" },
    { "devices/interface/driver/@queues", XML_HONOUR },
    { "devices/interface/driver/@rss", XML_ACCEPT, "off", "cards have no hash" },
    { "devices/interface/driver/@rss_hash_report", XML_ACCEPT, "off", "cards have no hash" },
    { "devices/interface/driver/@rx_queue_size", XML_REJECT },
    { "devices/interface/driver/@tx_queue_size", XML_REJECT },
    { "devices/interface/driver/@txmode", XML_REJECT },
    { "devices/interface/driver/guest", XML_REJECT },
    { "devices/interface/driver/host", XML_REJECT },
    { "devices/interface/link", XML_HONOUR },
    { "devices/interface/link/@state", XML_HONOUR },
    { "devices/interface/mac", XML_HONOUR },
    { "devices/interface/mac/@address", XML_HONOUR },
    { "devices/interface/mac/@check", XML_REJECT },
    { "devices/interface/mac/@type", XML_REJECT },
    { "devices/interface/model", XML_HONOUR },
    { "devices/interface/model/@type", XML_HONOUR },
    { "devices/interface/mtu", XML_HONOUR },
    { "devices/interface/mtu/@size", XML_HONOUR },
    { "devices/interface/source", XML_HONOUR },
    { "devices/interface/source/@address", XML_REJECT },
    { "devices/interface/source/@bridge", XML_HONOUR },
    { "devices/interface/source/@connectionid", XML_REJECT },
    { "devices/interface/source/@dev", XML_REJECT },
    { "devices/interface/source/@macTableManager", XML_REJECT },
    { "devices/interface/source/@missing", XML_REJECT },
    { "devices/interface/source/@mode", XML_REJECT },
    { "devices/interface/source/@name", XML_REJECT },
    { "devices/interface/source/@network", XML_REJECT },
    { "devices/interface/source/@path", XML_REJECT },
    { "devices/interface/source/@port", XML_REJECT },
    { "devices/interface/source/@portgroup", XML_REJECT },
    { "devices/interface/source/@portgroupid", XML_REJECT },
    { "devices/interface/source/@portid", XML_REJECT },
    { "devices/interface/source/@switchid", XML_REJECT },
    { "devices/interface/source/@type", XML_REJECT },
    { "devices/interface/source/address", XML_REJECT },
    { "devices/interface/source/ip", XML_REJECT },
    { "devices/interface/source/local", XML_REJECT },
    { "devices/interface/source/product", XML_REJECT },
    { "devices/interface/source/reconnect", XML_REJECT },
    { "devices/interface/source/route", XML_REJECT },
    { "devices/interface/source/vendor", XML_REJECT },
    { "devices/interface/target", XML_HONOUR },
    { "devices/interface/target/@dev", XML_HONOUR },
    { "devices/interface/target/@managed", XML_HONOUR },
    { "devices/serial", XML_EACH },
    { "devices/serial/@type", XML_HONOUR, CHARDEV_TYPES " unix" },
    { "devices/serial/@tty", XML_ACCEPT, NULL, "where a running guest's port was; libvirt ignores it in a definition too" },
    { "devices/serial/source", XML_EACH },
    { "devices/serial/source/@path", XML_HONOUR },
    { "devices/serial/source/@append", XML_HONOUR },
    { "devices/serial/source/@channel", XML_REJECT },
    { "devices/serial/source/@host", XML_REJECT },
    { "devices/serial/source/@master", XML_REJECT },
    { "devices/serial/source/@mode", XML_REJECT },
    { "devices/serial/source/@service", XML_REJECT },
    { "devices/serial/source/@slave", XML_REJECT },
    { "devices/serial/source/@tls", XML_REJECT },
    { "devices/serial/source/clipboard", XML_REJECT },
    { "devices/serial/source/mouse", XML_REJECT },
    { "devices/serial/source/reconnect", XML_REJECT },
    { "devices/serial/source/seclabel", XML_REJECT },
    { "devices/serial/log", XML_HONOUR },
    { "devices/serial/log/@file", XML_HONOUR },
    { "devices/serial/log/@append", XML_HONOUR },
    { "devices/serial/protocol", XML_REJECT },
    { "devices/serial/target", XML_HONOUR },
    { "devices/serial/target/@port", XML_HONOUR },
    { "devices/serial/target/@type", XML_HONOUR,
      "usb-serial pci-serial spapr-vio-serial system-serial sclp-serial isa-debug" },
    { "devices/serial/target/model", XML_HONOUR },
    { "devices/serial/target/model/@name", XML_HONOUR,
      "usb-serial pci-serial spapr-vty pl011 sclpconsole sclplmconsole 16550a isa-debugcon" },
    { "devices/serial/alias", XML_HONOUR },
    { "devices/serial/alias/@name", XML_HONOUR },
    { "devices/serial/acpi", XML_REJECT },
    { "devices/serial/address", XML_REJECT },
    { "devices/console", XML_EACH },
    { "devices/console/@type", XML_HONOUR, CHARDEV_TYPES " unix" },
    { "devices/console/@tty", XML_ACCEPT, NULL, "where a running guest's console was; libvirt ignores it in a definition too" },
    { "devices/console/source", XML_EACH },
    { "devices/console/source/@path", XML_HONOUR },
    { "devices/console/source/@append", XML_HONOUR },
    { "devices/console/source/@channel", XML_REJECT },
    { "devices/console/source/@host", XML_REJECT },
    { "devices/console/source/@master", XML_REJECT },
    { "devices/console/source/@mode", XML_REJECT },
    { "devices/console/source/@service", XML_REJECT },
    { "devices/console/source/@slave", XML_REJECT },
    { "devices/console/source/@tls", XML_REJECT },
    { "devices/console/source/clipboard", XML_REJECT },
    { "devices/console/source/mouse", XML_REJECT },
    { "devices/console/source/reconnect", XML_REJECT },
    { "devices/console/source/seclabel", XML_REJECT },
    { "devices/console/log", XML_HONOUR },
    { "devices/console/log/@file", XML_HONOUR },
    { "devices/console/log/@append", XML_HONOUR },
    { "devices/console/protocol", XML_REJECT },
    { "devices/console/target", XML_HONOUR },
    { "devices/console/target/@port", XML_HONOUR },
    { "devices/console/target/@type", XML_HONOUR, "xen uml lxc openvz sclp sclplm" },
    { "devices/console/target/model", XML_REJECT },
    { "devices/console/alias", XML_HONOUR },
    { "devices/console/alias/@name", XML_HONOUR },
    { "devices/console/acpi", XML_REJECT },
    VIRTIO_SERIAL_ADDRESS_ROWS("devices/console"),
    { "devices/channel", XML_EACH },
    { "devices/channel/@type", XML_HONOUR, CHARDEV_TYPES },
    { "devices/channel/source", XML_EACH },
    { "devices/channel/source/@path", XML_HONOUR },
    { "devices/channel/source/@append", XML_HONOUR },
    { "devices/channel/source/@mode", XML_HONOUR, "connect" },
    { "devices/channel/source/@channel", XML_REJECT },
    { "devices/channel/source/@host", XML_REJECT },
    { "devices/channel/source/@master", XML_REJECT },
    { "devices/channel/source/@service", XML_REJECT },
    { "devices/channel/source/@slave", XML_REJECT },
    { "devices/channel/source/@tls", XML_REJECT },
    { "devices/channel/source/clipboard", XML_REJECT },
    { "devices/channel/source/mouse", XML_REJECT },
    { "devices/channel/source/reconnect", XML_REJECT },
    { "devices/channel/source/seclabel", XML_REJECT },
    { "devices/channel/log", XML_HONOUR },
    { "devices/channel/log/@file", XML_HONOUR },
    { "devices/channel/log/@append", XML_HONOUR },
    { "devices/channel/protocol", XML_REJECT },
    { "devices/channel/target", XML_HONOUR },
    { "devices/channel/target/@type", XML_HONOUR, "guestfwd xen" },
    { "devices/channel/target/@name", XML_HONOUR },
    { "devices/channel/target/@state", XML_ACCEPT, NULL, "whether a running guest has it open; libvirt ignores it in a definition too" },
    { "devices/channel/target/@address", XML_REJECT },
    { "devices/channel/target/@port", XML_REJECT },
    { "devices/channel/alias", XML_HONOUR },
    { "devices/channel/alias/@name", XML_HONOUR },
    VIRTIO_SERIAL_ADDRESS_ROWS("devices/channel"),
    { "devices/disk", XML_EACH },
    { "devices/disk/@type", XML_HONOUR, "dir network volume nvme vhostuser" },
    { "devices/disk/@device", XML_HONOUR, "floppy lun" },
    { "devices/disk/@model", XML_REJECT },
    { "devices/disk/@rawio", XML_REJECT },
    { "devices/disk/@sgio", XML_REJECT },
    { "devices/disk/@snapshot", XML_REJECT },
    { "devices/disk/acpi", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/disk"),
    { "devices/disk/alias", XML_HONOUR },
    { "devices/disk/alias/@name", XML_HONOUR },
    { "devices/disk/auth", XML_REJECT },
    { "devices/disk/backenddomain", XML_REJECT },
    { "devices/disk/backingStore", XML_HONOUR },
    { "devices/disk/backingStore/@index", XML_ACCEPT, NULL, "libvirt numbers a running guest's sources, and ignores it in a definition too" },
    { "devices/disk/backingStore/@type", XML_HONOUR, "dir network volume nvme vhostuser" },
    { "devices/disk/backingStore/backingStore", XML_HONOUR },
    { "devices/disk/backingStore/format", XML_HONOUR },
    { "devices/disk/backingStore/format/@type", XML_HONOUR,
      "bochs cloop cow dmg fat iso luks ploop qcow qed vdi vhd vmdk vpc dir none auto" },
    { "devices/disk/backingStore/format/metadata_cache", XML_REJECT },
    { "devices/disk/backingStore/source", XML_HONOUR },
    { "devices/disk/backingStore/source/@dev", XML_HONOUR },
    { "devices/disk/backingStore/source/@fdgroup", XML_REJECT },
    { "devices/disk/backingStore/source/@file", XML_HONOUR },
    { "devices/disk/backingStore/source/@startupPolicy", XML_REJECT },
    { "devices/disk/backingStore/source/encryption", XML_REJECT },
    { "devices/disk/backingStore/source/reservations", XML_REJECT },
    { "devices/disk/backingStore/source/seclabel", XML_REJECT },
    { "devices/disk/backingStore/source/slices", XML_REJECT },
    { "devices/disk/blockio", XML_HONOUR },
    { "devices/disk/blockio/@logical_block_size", XML_HONOUR },
    { "devices/disk/blockio/@physical_block_size", XML_HONOUR },
    { "devices/disk/boot", XML_HONOUR },
    { "devices/disk/boot/@loadparm", XML_REJECT },
    { "devices/disk/boot/@order", XML_HONOUR },
    { "devices/disk/driver", XML_HONOUR },
    { "devices/disk/driver/@ats", XML_ACCEPT, "off", "the machine has no IOMMU" },
    { "devices/disk/driver/@cache", XML_HONOUR },
    { "devices/disk/driver/@copy_on_read", XML_ACCEPT, "off", "there is nothing to copy from" },
    { "devices/disk/driver/@detect_zeroes", XML_HONOUR },
    { "devices/disk/driver/@discard", XML_HONOUR },
    { "devices/disk/driver/@error_policy", XML_HONOUR, "ignore" },
    { "devices/disk/driver/@event_idx", XML_ACCEPT, "on", "queues have it" },
    { "devices/disk/driver/@io", XML_HONOUR },
    { "devices/disk/driver/@ioeventfd", XML_ACCEPT, "on", "queues have it" },
    { "devices/disk/driver/@iommu", XML_ACCEPT, "off", "the machine has no IOMMU" },
    { "devices/disk/driver/@iothread", XML_REJECT },
    { "devices/disk/driver/@name", XML_HONOUR },
    { "devices/disk/driver/@packed", XML_ACCEPT, "off", "queues are split ones" },
    { "devices/disk/driver/@page_per_vq", XML_ACCEPT, "off", "queues share a page" },
    { "devices/disk/driver/@queue_size", XML_HONOUR },
    { "devices/disk/driver/@queues", XML_HONOUR },
    { "devices/disk/driver/@rerror_policy", XML_HONOUR, "ignore" },
    { "devices/disk/driver/@type", XML_HONOUR,
      "bochs cloop cow dmg fat iso luks ploop qcow qed vdi vhd vmdk vpc dir none auto" },
    { "devices/disk/driver/metadata_cache", XML_REJECT },
    { "devices/disk/encryption", XML_REJECT },
    { "devices/disk/geometry", XML_REJECT },
    { "devices/disk/iotune", XML_REJECT },
    { "devices/disk/mirror", XML_REJECT },
    { "devices/disk/privateData", XML_REJECT },
    { "devices/disk/product", XML_REJECT },
    { "devices/disk/readonly", XML_HONOUR },
    { "devices/disk/serial", XML_HONOUR },
    { "devices/disk/shareable", XML_HONOUR },
    { "devices/disk/source", XML_HONOUR },
    { "devices/disk/source/@dev", XML_HONOUR },
    { "devices/disk/source/@dir", XML_REJECT },
    { "devices/disk/source/@fdgroup", XML_REJECT },
    { "devices/disk/source/@file", XML_HONOUR },
    { "devices/disk/source/@index", XML_ACCEPT, NULL, "libvirt numbers a running guest's sources, and ignores it in a definition too" },
    { "devices/disk/source/@managed", XML_REJECT },
    { "devices/disk/source/@mode", XML_REJECT },
    { "devices/disk/source/@name", XML_REJECT },
    { "devices/disk/source/@namespace", XML_REJECT },
    { "devices/disk/source/@path", XML_REJECT },
    { "devices/disk/source/@pool", XML_REJECT },
    { "devices/disk/source/@protocol", XML_REJECT },
    { "devices/disk/source/@query", XML_REJECT },
    { "devices/disk/source/@startupPolicy", XML_REJECT },
    { "devices/disk/source/@tls", XML_REJECT },
    { "devices/disk/source/@tlsHostname", XML_REJECT },
    { "devices/disk/source/@type", XML_REJECT },
    { "devices/disk/source/@volume", XML_REJECT },
    { "devices/disk/source/address", XML_REJECT },
    { "devices/disk/source/auth", XML_REJECT },
    { "devices/disk/source/config", XML_REJECT },
    { "devices/disk/source/cookies", XML_REJECT },
    { "devices/disk/source/encryption", XML_REJECT },
    { "devices/disk/source/host", XML_REJECT },
    { "devices/disk/source/identity", XML_REJECT },
    { "devices/disk/source/initiator", XML_REJECT },
    { "devices/disk/source/privateData", XML_REJECT },
    { "devices/disk/source/readahead", XML_REJECT },
    { "devices/disk/source/reconnect", XML_REJECT },
    { "devices/disk/source/reservations", XML_REJECT },
    { "devices/disk/source/seclabel", XML_REJECT },
    { "devices/disk/source/slices", XML_REJECT },
    { "devices/disk/source/snapshot", XML_REJECT },
    { "devices/disk/source/ssl", XML_REJECT },
    { "devices/disk/source/timeout", XML_REJECT },
    { "devices/disk/target", XML_HONOUR },
    { "devices/disk/target/@bus", XML_HONOUR, "fdc xen usb uml sd" },
    { "devices/disk/target/@dev", XML_HONOUR },
    { "devices/disk/target/@removable", XML_REJECT },
    { "devices/disk/target/@rotation_rate", XML_REJECT },
    { "devices/disk/target/@tray", XML_HONOUR },
    { "devices/disk/transient", XML_REJECT },
    { "devices/disk/vendor", XML_REJECT },
    { "devices/disk/wwn", XML_REJECT },
    { "devices/controller", XML_EACH },
    { "devices/controller/@type", XML_HONOUR, "ide fdc scsi sata ccid xenbus isa" },
    { "devices/controller/@index", XML_HONOUR },
    { "devices/controller/@model", XML_HONOUR },
    { "devices/controller/@maxEventChannels", XML_REJECT },
    { "devices/controller/@maxGrantFrames", XML_REJECT },
    { "devices/controller/@ports", XML_HONOUR },
    { "devices/controller/@vectors", XML_HONOUR },
    { "devices/controller/acpi", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/controller"),
    { "devices/controller/alias", XML_HONOUR },
    { "devices/controller/alias/@name", XML_HONOUR },
    { "devices/controller/driver", XML_REJECT },
    { "devices/controller/master", XML_REJECT },
    { "devices/controller/model", XML_HONOUR },
    { "devices/controller/model/@name", XML_HONOUR,
      "i82801b11-bridge ioh3420 pci-bridge pcie-pci-bridge pxb pxb-pcie spapr-pci-host-bridge "
      "x3130-upstream xio3130-downstream" },
    { "devices/controller/pcihole64", XML_REJECT },
    { "devices/controller/target", XML_HONOUR },
    { "devices/controller/target/@chassis", XML_HONOUR },
    { "devices/controller/target/@port", XML_HONOUR },
    { "devices/controller/target/@busNr", XML_REJECT },
    { "devices/controller/target/@chassisNr", XML_REJECT },
    { "devices/controller/target/@hotplug", XML_REJECT },
    { "devices/controller/target/@index", XML_REJECT },
    { "devices/controller/target/node", XML_REJECT },
    { "devices/memballoon", XML_EACH },
    { "devices/memballoon/@model", XML_HONOUR, "virtio-transitional virtio-non-transitional xen" },
    { "devices/memballoon/@autodeflate", XML_HONOUR },
    { "devices/memballoon/@freePageReporting", XML_HONOUR },
    { "devices/memballoon/acpi", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/memballoon"),
    { "devices/memballoon/alias", XML_HONOUR },
    { "devices/memballoon/alias/@name", XML_HONOUR },
    { "devices/memballoon/driver", XML_REJECT },
    { "devices/memballoon/stats", XML_HONOUR },
    { "devices/memballoon/stats/@period", XML_HONOUR },
    { "devices/rng", XML_EACH },
    { "devices/rng/@model", XML_HONOUR, "virtio-transitional virtio-non-transitional" },
    { "devices/rng/acpi", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/rng"),
    { "devices/rng/alias", XML_HONOUR },
    { "devices/rng/alias/@name", XML_HONOUR },
    { "devices/rng/backend", XML_EACH },
    { "devices/rng/backend/@model", XML_HONOUR, "egd" },
    { "devices/rng/backend/@type", XML_REJECT },
    { "devices/rng/backend/log", XML_REJECT },
    { "devices/rng/backend/protocol", XML_REJECT },
    { "devices/rng/backend/source", XML_REJECT },
    { "devices/rng/driver", XML_REJECT },
    { "devices/rng/rate", XML_REJECT },
    { "devices/audio", XML_REJECT },
    { "devices/filesystem", XML_REJECT },
    { "devices/graphics", XML_REJECT },
    { "devices/hostdev", XML_REJECT },
    { "devices/hub", XML_REJECT },
    { "devices/input", XML_REJECT },
    { "devices/iommu", XML_REJECT },
    { "devices/lease", XML_REJECT },
    { "devices/memory", XML_REJECT },
    { "devices/nvram", XML_REJECT },
    { "devices/panic", XML_EACH },
    { "devices/panic/@model", XML_HONOUR, "default pseries hyperv s390" },
    { "devices/panic/address", XML_HONOUR },
    { "devices/panic/address/@type", XML_HONOUR,
      "drive virtio-serial ccid usb spapr-vio virtio-s390 ccw virtio-mmio dimm unassigned" },
    { "devices/panic/address/@domain", XML_HONOUR },
    { "devices/panic/address/@bus", XML_HONOUR },
    { "devices/panic/address/@slot", XML_HONOUR },
    { "devices/panic/address/@function", XML_HONOUR },
    { "devices/panic/address/@multifunction", XML_HONOUR },
    { "devices/panic/address/@base", XML_REJECT },
    { "devices/panic/address/@controller", XML_REJECT },
    { "devices/panic/address/@cssid", XML_REJECT },
    { "devices/panic/address/@devno", XML_REJECT },
    { "devices/panic/address/@iobase", XML_HONOUR },
    { "devices/panic/address/@irq", XML_REJECT },
    { "devices/panic/address/@port", XML_REJECT },
    { "devices/panic/address/@reg", XML_REJECT },
    { "devices/panic/address/@ssid", XML_REJECT },
    { "devices/panic/address/@target", XML_REJECT },
    { "devices/panic/address/@unit", XML_REJECT },
    { "devices/panic/address/zpci", XML_REJECT },
    { "devices/panic/alias", XML_HONOUR },
    { "devices/panic/alias/@name", XML_HONOUR },
    { "devices/parallel", XML_REJECT },
    { "devices/redirdev", XML_REJECT },
    { "devices/redirfilter", XML_REJECT },
    { "devices/shmem", XML_REJECT },
    { "devices/smartcard", XML_REJECT },
    { "devices/sound", XML_REJECT },
    { "devices/tpm", XML_REJECT },
    { "devices/video", XML_REJECT },
    { "devices/vsock", XML_REJECT },
    { "devices/watchdog", XML_EACH },
    { "devices/watchdog/@action", XML_HONOUR, "dump" },
    { "devices/watchdog/@model", XML_HONOUR, "ib700 diag288 itco" },
    { "devices/watchdog/acpi", XML_REJECT },
    PCI_ADDRESS_ROWS("devices/watchdog"),
    { "devices/watchdog/alias", XML_HONOUR },
    { "devices/watchdog/alias/@name", XML_HONOUR },

    { "seclabel", XML_HONOUR },
    { "seclabel/@type", XML_HONOUR, "dynamic static" },
    { "seclabel/@model", XML_ACCEPT, "none", "type none labels nothing, whatever the model" },
    { "seclabel/@relabel", XML_ACCEPT, "no", "nothing is relabelled" },
    { "seclabel/baselabel", XML_REJECT },
    { "seclabel/imagelabel", XML_REJECT },
    { "seclabel/label", XML_REJECT },
    { "keywrap", XML_REJECT },
    { "launchSecurity", XML_REJECT },

    { QEMU_NS "capabilities", XML_REJECT },
    { QEMU_NS "commandline", XML_REJECT },
    { QEMU_NS "deprecation", XML_REJECT },
    { QEMU_NS "override", XML_REJECT },
    { XEN_NS "commandline", XML_REJECT },
    { LXC_NS "namespace", XML_REJECT },
    { BHYVE_NS "commandline", XML_REJECT },
    { VMWARE_NS "datacenterpath", XML_REJECT },
};
/* clang-format on */

const gsize xml_n_policies = G_N_ELEMENTS(xml_policies);

static GHashTable *
index_policies(void)
{
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);

    for (gsize i = 0; i < xml_n_policies; i++)
        g_assert(
            g_hash_table_insert(index, (char *)xml_policies[i].path, (gpointer)&xml_policies[i]));
    return index;
}

const XmlPolicy *
xml_policy_find(const char *path)
{
    static GHashTable *index;

    if (!index)
        index = index_policies();
    return g_hash_table_lookup(index, path);
}

/* Whether @value is one of the words in @words. */
static gboolean
is_among(const char *value, const char *words)
{
    gsize length = strlen(value);

    if (length == 0 || strchr(value, ' '))
        return FALSE;
    for (const char *at = strstr(words, value); at; at = strstr(at + 1, value)) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return TRUE;
    }
    return FALSE;
}

static gboolean
takes_value(const XmlPolicy *policy, const char *value)
{
    if (!policy->words)
        return TRUE;
    return is_among(value, policy->words) == (policy->verdict == XML_ACCEPT);
}

/* One step of the walk: an element and the path to it. */
typedef struct Step {
    const XmlNode *node;
    GString *path;
    GError **error;
} Step;

static gboolean
check_attr(gpointer data, const char *name, const char *value)
{
    Step *step = data;
    gsize length = step->path->len;
    const XmlPolicy *policy;

    g_string_append_printf(step->path, "%s@%s", length ? "/" : "", name);
    policy = xml_policy_find(step->path->str);
    g_string_truncate(step->path, length);
    if (!policy)
        return TRUE;
    if (policy->verdict == XML_REJECT)
        return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "attribute '%s' of <%s> is not supported yet by this machine", name,
                            xml_name(step->node));
    if (!takes_value(policy, value))
        return driver_error(
            step->error, VIR_ERR_CONFIG_UNSUPPORTED,
            "value '%s' of attribute '%s' of <%s> is not supported yet by this machine", value,
            name, xml_name(step->node));
    return TRUE;
}

static gboolean
check_text(const Step *step, const XmlPolicy *policy)
{
    g_autofree char *text = policy->words ? xml_text(step->node) : NULL;

    if (!text || takes_value(policy, text))
        return TRUE;
    return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of <%s> is not supported yet by this machine", text,
                        xml_name(step->node));
}

static gboolean
refuse_element(const Step *step, const char *parent)
{
    const char *prefix = xml_prefix(step->node);

    return driver_error(step->error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "element <%s%s%s> of <%s> is not supported yet by this machine",
                        prefix ? prefix : "", prefix ? ":" : "", xml_name(step->node), parent);
}

static gboolean check_children(Step *step);

/* @step is at the element; its path is written. */
static gboolean
check_element(Step *step, const XmlNode *parent)
{
    const XmlPolicy *policy = xml_policy_find(step->path->str);

    if (!policy || policy->verdict == XML_VERBATIM)
        return TRUE;
    if (policy->verdict == XML_REJECT)
        return refuse_element(step, xml_name(parent));
    if (policy->verdict != XML_EACH && xml_child(parent, xml_name(step->node)) != step->node)
        return driver_error(step->error, VIR_ERR_XML_ERROR,
                            "element <%s> of <%s> is there more than once", xml_name(step->node),
                            xml_name(parent));
    return check_text(step, policy) && xml_visit_attrs(step->node, check_attr, step) &&
           check_children(step);
}

/* A backing store has the same rows at any depth. */
static gboolean
is_nested(const GString *path, const XmlNode *node)
{
    return strcmp(xml_name(node), "backingStore") == 0 && !xml_namespace(node) &&
           g_str_has_suffix(path->str, "/backingStore");
}

static void
append_name(GString *path, const XmlNode *node)
{
    const char *ns = xml_namespace(node);

    if (is_nested(path, node))
        return;
    if (path->len)
        g_string_append_c(path, '/');
    if (ns)
        g_string_append_printf(path, "{%s}", ns);
    g_string_append(path, xml_name(node));
}

/* The walk is as deep as the table's paths are, whatever the document's depth. */
static gboolean
check_children(Step *step)
{
    const XmlNode *parent = step->node;
    gsize length = step->path->len;
    gboolean ok = TRUE;

    for (step->node = xml_first(parent); ok && step->node; step->node = xml_next(step->node)) {
        append_name(step->path, step->node);
        ok = check_element(step, parent);
        g_string_truncate(step->path, length);
    }
    step->node = parent;
    return ok;
}

gboolean
xml_policy_check(const XmlNode *domain, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    Step step = { domain, path, error };

    return xml_visit_attrs(domain, check_attr, &step) && check_children(&step);
}

gboolean
xml_policy_check_device(const XmlNode *device, GError **error)
{
    g_autoptr(GString) path = g_string_new("devices");
    Step step = { device, path, error };
    const XmlPolicy *policy;

    append_name(path, device);
    policy = xml_policy_find(path->str);
    if (policy && policy->verdict == XML_REJECT)
        return refuse_element(&step, "devices");
    return xml_visit_attrs(device, check_attr, &step) && check_children(&step);
}
