/* vmm-proto: what the driver and a VMM say to each other.
 *
 * The driver makes a listening SOCK_SEQPACKET socket, connects to it, and spawns vmctl-vmm with the
 * listener as descriptor VMM_LISTEN_FD, its log as descriptor 2, and nothing else: no paths, no
 * options. The VMM serves one connection at a time; when the driver's end closes (the daemon was
 * restarted) the guest goes on, and the next connection is served. A VMM that was never given a
 * "create" ends when its first connection closes.
 *
 * Life of a guest:
 *
 *     hello, create, add-device..., run      the driver may send all of these without waiting
 *     pause, run, reset, power-button, ...   any number of times
 *     quit, or the guest stops by itself     the process writes its record and exits
 *
 * Every request is answered by one reply or one error with its serial, in the order of the requests.
 * Events come at any time. Verbs and keys are only ever added, never changed: VMM_PROTO_VERSION says
 * how far a VMM goes. A key that a VMM does not know is an error in "create" and "add-device"; the
 * driver ignores a key that it does not know in replies and events.
 */
#pragma once

#include <inttypes.h>

#define VMM_PROTO_VERSION 1
#define VMM_LISTEN_FD     3 /* the listening socket that a VMM starts with */

/* Requests: keys marked ? may be missing. */

/* hello {}: asks who is there; allowed at any time.
 * Reply: version u64, state string (VMM_STATE_*), reason string (why it is in that state),
 * confined string (the steps of confinement in force, by the names of confine.h, with spaces between). */
#define VMM_HELLO "hello"

/* create: the machine, without devices; once.
 * kvm fd (/dev/kvm), memory u64 (bytes, a multiple of 4096), vcpus u64,
 * sockets? u64, dies? u64, cores? u64, threads? u64 (their product is at least vcpus),
 * ram? fd: a file of that many bytes, which becomes the guest's RAM (memfd, hugetlbfs, any other),
 * ram-shared? bool (false): what the guest writes reaches the file,
 * ram-locked? bool (false): the host keeps RAM in its own,
 * ram-policy? string (VMM_NODES_*) with ram-nodes bytes: on which of the host's NUMA nodes RAM is, a bit for each node, the
 *     first in the lowest of the first byte; without them wherever the host likes,
 * ram-threads? u64 (0): how many threads fetch it all before the guest starts; 0: as it is touched,
 * kernel fd, initrd? fd, cmdline? string: what to boot: a Linux bzImage, an ELF with a PVH note, or a
 *     multiboot-1 ELF; the kinds tell themselves apart,
 * machine? string (VMM_MACHINE_*; q35),
 * firmware? fd: an image that ends with an x86 reset vector, of 16 MiB at most, which boots instead, or boots the
 *     kernel, which is a bzImage then: one of the two is needed,
 * firmware-uefi? bool (false): it is UEFI, not a BIOS; it boots UEFI applications as well,
 * nvram? fd (readable and writable): the firmware's variables, below it: with a firmware,
 * firmware-port? u64: the I/O port of a serial port that it uses as its terminal (0: none),
 * reboot-timeout? u64: milliseconds after which a BIOS that found no system starts over (never),
 * boot-menu? u64 (0): milliseconds that it waits for somebody to ask for its boot menu,
 * boot-order? string: where it looks for a system, in lines of Open Firmware device paths,
 * network-rom? fd: a ROM with which a BIOS boots from virtio network cards,
 * smbios-BLOCK-NAME? string: what its tables say to people; libvirt's names of blocks and entries in
 *     <sysinfo>, but "board": "smbios-system-serial"; smbios-oem-N? string, N from 0 to 63,
 * fw-cfg-N-name? string, with fw-cfg-N-content string or fw-cfg-N-fd fd, N from 0 to 15: files for what runs in
 *     the guest, whose names begin with "opt/",
 * uuid? string: the machine's, as firmware tells it,
 * acpi? bool (true), pae? bool (true): with or without the feature,
 * pm-suspend-to-mem?, pm-suspend-to-disk? bool (true): the guest is offered S3 and S4,
 * cpuid? string: edits of the CPUID that KVM supports, in their order and with a space in between, each
 *     "LEAF.INDEX:REGISTER=VALUE/MASK" in hexadecimal digits ("7.0:ebx=20/20"): the register's bits under
 *     the mask become the value's, of others too where the value has them; leaves beyond the limits that
 *     result are dropped. Without it, guests have all that KVM supports,
 * msrs? string: feature registers, likewise: "10a=2b",
 * cpu-cache? string: "host" (the default), "emulated" (the same on every host) or "none",
 * kvm-leaves? bool (true): the guest is told that it is on KVM, and of what that offers,
 * hyperv-leaves? bool (false): what "cpuid" says of the leaves from 0x40000000 on is what Hyper-V would say, and what KVM
 *     says of itself begins at 0x40000100,
 * hyperv-synic? bool (false): each vCPU has Hyper-V's synthetic interrupt controller, and the timers that go by it,
 * pmu? bool (true): with performance counters, where KVM has them,
 * tsc-khz? u64 (0: the host's): the frequency of the guest's time stamp counter; an error where the host's
 *     is another one and cannot be scaled,
 * pit-reinject? bool (true): the interval timer catches up with late ticks; else they are lost,
 * rtc-offset? i64 (0): seconds that the guest's clock is ahead of UTC at first,
 * rtc-catchup? bool (false): the clock's late periodic interrupts come one after the other; else as one,
 * on-poweroff, on-reboot, on-crash? string (VMM_ACTION_*): what to do without asking when the guest
 *     powers off (default stop), resets (default reset) or cannot go on (default stop),
 * record? fd: a file that takes one line, "STATE REASON TEXT", before the process exits. */
#define VMM_CREATE "create"

/* add-device: class string, id string, and what that class reads (see the class's source); while the machine is just
 * created. Later too where it goes behind a root port. */
#define VMM_ADD_DEVICE "add-device"

/* remove-device: id string: asks the guest to let go of a device behind a root port, by the port's
 * attention button; the reply says that it was asked. Once the guest has let go, there is the event
 * "device-removed". A machine that is just created is not asked: the event comes at once. */
#define VMM_REMOVE_DEVICE "remove-device"

/* run {}: starts or resumes the vCPUs. pause {}: replies when every vCPU has stopped and no request is with a disk any more,
 * whose file has all that its format held back, which takes as long as the host takes for it. Stable storage is another
 * matter, a flush's or that of "save".
 * Whatever else needs a guest (save, reset, power-button, inject-nmi, peek) has one in a machine that is just created,
 * too: it is turned on, and paused before its first instruction. */
#define VMM_RUN   "run"
#define VMM_PAUSE "pause"

/* wakeup {}: a guest that has suspended itself goes on, after the event "woken". Error where it is not suspended. */
#define VMM_WAKEUP "wakeup"

/* reset {}: as the reset button: the machine starts over, whatever on-reboot says.
 * Running guests go on running, paused ones stay paused, suspended ones wake up by it. */
#define VMM_RESET "reset"

/* power-button: presses the ACPI power button; the reply says that it was pressed, not that the guest
 * obeyed. Error where the guest has no ACPI. then? string (VMM_ACTION_*): what the power-off that
 * answers this press does, once, instead of on-poweroff: that is how a reboot is asked for. A later
 * press without it, or a reset, takes it back. A suspended guest is woken by it. */
#define VMM_POWER_BUTTON "power-button"

/* inject-nmi {}: a non-maskable interrupt to the vCPUs whose local APIC lets LINT1 make one: of Linux, the first.
 * As with the button of a PC, it is lost where none does. */
#define VMM_INJECT_NMI "inject-nmi"

/* peek: address u64, size u64 (VMM_PEEK_MAX at most), virtual? bool (false), to fd: writes what the guest has there in
 * its RAM to the start of a file. A virtual address is one of the first vCPU as it is now. Error where any of it is not
 * mapped, or not RAM. */
#define VMM_PEEK     "peek"
#define VMM_PEEK_MAX (4u << 20)

/* stats {}: reply: vcpu-times bytes (nanoseconds of CPU time of each vCPU's thread, from vCPU 0 on: eight bytes for each,
 * little-endian), and while a job goes on what "save" says of it. */
#define VMM_STATS "stats"

/* set-action: on-poweroff?, on-reboot?, on-crash? string: as in create, from now on
 * (virDomainSetLifecycleAction). */
#define VMM_SET_ACTION "set-action"

/* set-memory-nodes: ram-policy and ram-nodes as in create, from now on. What RAM has already is moved after the reply, bit
 * by bit, as far as the host can. From create on. */
#define VMM_SET_MEMORY_NODES "set-memory-nodes"
#define VMM_NODES_BIND       "bind"       /* there, or the guest's process ends for want of memory */
#define VMM_NODES_PREFERRED  "preferred"  /* there as long as there is some */
#define VMM_NODES_INTERLEAVE "interleave" /* on each in turn */

/* tell-device: id string, and what the device reads; its reply is what the device answers. See the
 * classes below; a key that is not known is an error. From create on, whether the guest runs or not. */
#define VMM_TELL_DEVICE "tell-device"

/* add-iothread: id u64: starts a thread for devices that name it; it can be seen in the process as VMM_THREAD_IO. From
 * create on. remove-iothread: id u64: ends it; an error where a device uses it.
 * tell-iothread: id u64, poll-max-ns? u64 (VMM_POLL_MAX_NS: for how long it looks for a device's next request before it
 * sleeps, where that pays; 0: it does not), poll-grow? u64 (0: a look is as long as it may be from the start; else it
 * begins short, and each that was too short makes the next one so many times as long), poll-shrink? u64 (0: after one in
 * vain it does without for a while; else the next one is a part of it). Reply: all three as they are now. */
#define VMM_ADD_IOTHREAD    "add-iothread"
#define VMM_REMOVE_IOTHREAD "remove-iothread"
#define VMM_TELL_IOTHREAD   "tell-iothread"
#define VMM_THREAD_IO       "io %" PRIu64
/* As QEMU's. A sleep that is worth a look is short with the time that it takes to be woken. */
#define VMM_POLL_MAX_NS     32768

/* save: fd: writes the state of a paused or suspended guest to a file, pipe or socket, from where it stands (state.h says what
 * is written; disks' contents and a firmware's variables are not: they are where they belong, on stable storage as far
 * as a disk's cache mode goes, before anything is written, and a host that cannot bring them there fails the job, which
 * may be tried again). The descriptor becomes non-blocking.
 * The reply says that it was begun. Until the event "job-ended" the guest stays paused: what would change it
 * is an error, the rest is served. After it the guest may run on, or the VMM quit.
 * restore: fd: the same backwards, into a machine that was made as the saved one was, with create and add-device of
 * the same parameters but for descriptors, and that has not run. After "job-ended" with outcome completed it is
 * suspended again, or paused, and runs from where it was saved; its clock has stood still, but for the one with a battery
 * (RTC). After any other outcome only quit is left.
 * cancel-job {}: asks for the end of what either has begun; "job-ended" comes, with the outcome cancelled where it
 * was not over. Where nothing is under way it does nothing.
 * "stats" says how far it is, by the keys job string ("save", "restore"), job-done, job-total (0: unknown) u64:
 * bytes of RAM, or of the stream, and job-bytes u64: through the descriptor. */
#define VMM_SAVE       "save"
#define VMM_RESTORE    "restore"
#define VMM_CANCEL_JOB "cancel-job"

/* track-dirty: on bool: notes which pages of RAM the guest and its devices write, from now on or no longer; it costs
 * the guest some speed. take-dirty {}: reply: pages u64 (of 4096 bytes: how many were written since the last
 * take-dirty, or since track-dirty). */
#define VMM_TRACK_DIRTY "track-dirty"
#define VMM_TAKE_DIRTY  "take-dirty"

/* quit {}: ends the process at once; replies first. */
#define VMM_QUIT "quit"

/* Events */

/* resumed {} and paused { reason string (VMM_REASON_*) }: the vCPUs started or stopped for another
 * cause than a request. */
#define VMM_EVENT_PAUSED "paused"

/* suspended {}: the guest has suspended itself to memory (S3): its vCPUs stand until something wakes it, a request, the
 * alarm of its clock or a power button, and it cannot be run, only woken. woken {}: something did. */
#define VMM_EVENT_SUSPENDED "suspended"
#define VMM_EVENT_WOKEN     "woken"

/* io-error { device, operation string (read, write, flush, discard, zero), action string (report: the
 * guest saw it; ignore: it was told that all is well; pause: "paused" with reason io-error follows, and a "run" makes
 * the request again), error string (enospc, other) }: the host failed a request of that device. Reports come at most
 * once a second. */
#define VMM_EVENT_IO_ERROR "io-error"

/* block-threshold { device string, threshold u64, excess u64 }: something was written to the disk's file, as many bytes
 * behind the threshold; it is forgotten with that. */
#define VMM_EVENT_BLOCK_THRESHOLD "block-threshold"

/* resized { device string, size u64 (bytes: as it is now), text? string }: what tell-device asked for by new-size is
 * done, or has failed for the reason in text. */
#define VMM_EVENT_RESIZED "resized"

/* reset { reason string }: the guest asked for a reset, triple-faulted or, with on-crash reset, panicked, and has
 * started over. */
#define VMM_EVENT_RESET "reset"

/* crash-loaded { id string }: the guest's kernel has crashed, and a crash kernel in the guest sees to it: the guest
 * goes on. */
#define VMM_EVENT_CRASH_LOADED "crash-loaded"

/* watchdog { id string, action string (VMM_WATCHDOG_*) }: the guest has not fed its watchdog. What the action comes
 * to, such as "reset", "paused" or "stopped", is told after it. */
#define VMM_EVENT_WATCHDOG "watchdog"

/* device-removed { id string }: the device is gone, its descriptors are closed. */
#define VMM_EVENT_DEVICE_REMOVED "device-removed"

/* job-ended { job string ("save", "restore"), outcome string ("completed", "cancelled", "failed"), text? string (what
 * failed), bytes u64 (through the descriptor), state? string (VMM_STATE_*: what the machine is in after it) } */
#define VMM_EVENT_JOB_ENDED "job-ended"

/* Outcomes of "job-ended" */
#define VMM_OUTCOME_COMPLETED "completed"
#define VMM_OUTCOME_CANCELLED "cancelled"
#define VMM_OUTCOME_FAILED    "failed"

/* stopped { state string, reason string (VMM_REASON_*), text string }: the guest is over; the process
 * exits after this. With on-crash pause the event is "paused" with reason crashed or panicked instead. */
#define VMM_EVENT_STOPPED "stopped"

/* port { id string, port u64, open bool }: the guest opened or closed a serial port of device id. */
#define VMM_EVENT_PORT "port"

/* balloon { id string, size u64 }: the guest gave back, or took, RAM; at most once a second. */
#define VMM_EVENT_BALLOON "balloon"

/* rtc-change { offset i64, change i64 }: the guest has set its clock, which is so many seconds ahead of UTC now, and of
 * what it showed at first (rtc-offset); at most once a second. */
#define VMM_EVENT_RTC_CHANGE "rtc-change"

/* States of "hello" */
#define VMM_STATE_EMPTY   "empty"   /* no create yet */
#define VMM_STATE_CREATED "created" /* not turned on yet */
#define VMM_STATE_RUNNING "running"
#define VMM_STATE_PAUSED  "paused"
#define VMM_STATE_SUSPENDED "suspended" /* by itself (S3), until it is woken */
#define VMM_STATE_STOPPED "stopped"

/* Reasons */
#define VMM_REASON_USER     "user"     /* a request */
#define VMM_REASON_POWEROFF "poweroff" /* ACPI S5, or what stands in for it */
#define VMM_REASON_RESET    "reset"    /* reset register, keyboard controller, triple fault */
#define VMM_REASON_CRASHED  "crashed"  /* KVM cannot go on; text and the log say why */
#define VMM_REASON_EXIT     "exit"     /* the debug-exit port; text is the number written */
#define VMM_REASON_IO_ERROR "io-error" /* a disk failed, whose policy is to wait; text says which */
#define VMM_REASON_PANICKED "panicked" /* the guest's kernel says that it has crashed: pvpanic */
#define VMM_REASON_WATCHDOG "watchdog" /* the watchdog's action: pause */
#define VMM_REASON_SLEEP    "sleep"    /* ACPI S3 */
#define VMM_REASON_WAKEUP   "wakeup"   /* the end of it */
#define VMM_REASON_HIBERNATED                                                                      \
    "hibernated" /* ACPI S4: it has saved itself to its disk; what on-poweroff says is done */
#define VMM_REASON_POWER_CUT                                                                       \
    "power-cut" /* the watchdog's action: poweroff, whatever on-poweroff says */

/* Machines */
#define VMM_MACHINE_Q35 "q35" /* a PC with Intel's Q35 chipset: a PCI host, in any case */
#define VMM_MACHINE_MICROVM                                                                        \
    "microvm" /* neither firmware, nor LPC bridge, nor keyboard; a PCI host where a device needs one */

/* Actions */
#define VMM_ACTION_STOP  "stop"  /* stop the guest, write the record, exit */
#define VMM_ACTION_RESET "reset" /* start the machine over in place */
#define VMM_ACTION_PAUSE "pause" /* stop the vCPUs and keep everything for inspection */

/* What is done when a watchdog expires */
#define VMM_WATCHDOG_NONE       "none"       /* the event is all */
#define VMM_WATCHDOG_PAUSE      "pause"      /* reason watchdog */
#define VMM_WATCHDOG_RESET      "reset"      /* what on-reboot says */
#define VMM_WATCHDOG_POWEROFF   "poweroff"   /* the guest stops at once */
#define VMM_WATCHDOG_SHUTDOWN   "shutdown"   /* presses the power button */
#define VMM_WATCHDOG_INJECT_NMI "inject-nmi" /* as the verb does */

/* The devices that a machine has by itself and that are told something:
 * rtc           the clock
 *     tell-device {} replies offset, change i64: as in the event "rtc-change"
 * i8042         of a q35: the keyboard controller with a keyboard
 *     tell-device { keys bytes (1 to 16 keys, each as hw/ps2-keyboard.h numbers them; they go down in this order and come
 *               up in the opposite one), hold u64 (milliseconds in between) }: answered at once; an error where too
 *               much waits to be typed. A guest that sleeps is woken by it instead. */
#define VMM_DEVICE_RTC      "rtc"
#define VMM_DEVICE_KEYBOARD "i8042"

/* Keys of VMM_MSG_ERROR: text string, and class string (VMM_ERROR_*) */
#define VMM_ERROR_INVALID     "invalid"     /* a parameter is wrong */
#define VMM_ERROR_STATE       "state"       /* not possible in this state */
#define VMM_ERROR_UNSUPPORTED "unsupported" /* this VMM, KVM or CPU cannot do it */
#define VMM_ERROR_FAILED      "failed"      /* the host refused */

/* Device classes that there are, with their keys:
 * serial        port u64 (0 to 3: COM1 to COM4); a character device:
 * (any of them) kind string: "pty": fd (raw), watch? fd (inotify, readable when somebody opened the slave);
 *               "socket": fd (a listening stream socket; one client at a time); "connection": fd (a stream socket that
 *               is connected, or will be; when its peer has left nobody comes any more); "broker": fd (a connection to
 *               vmctl-connect, see connect-broker.h, which connects again where the peer has left); these three with
 *               telnet? bool (false: bytes go as they are); "stream": fd (a terminal, a FIFO or the like, open for
 *               both directions), out? fd (where output goes instead); "datagram": fd (a connected datagram socket);
 *               "file": fd, append? bool; "null"; and log? fd: everything written goes there too
 * debug-exit    port u64 (I/O port; isa-debug-exit's default is 0x501): writing V stops the guest with
 *               reason exit */
/* pvpanic       port? u64 (0x505): its I/O port */
#define VMM_CLASS_SERIAL     "serial"
#define VMM_CLASS_DEBUG_EXIT "debug-exit"
#define VMM_CLASS_PVPANIC    "pvpanic"
/* On PCI, with keys bus? string ("pcie.0", the default, or the id of a root port), slot? u64 (the first
 * free one), function? u64 (0):
 * pcie-root-port: port? u64 (up to 255; slot * 8 + function): its link's number; its id names the bus behind it,
 *                 with one slot, 0
 * pvpanic-pci:    no keys of its own
 * i6300esb:       action? string (VMM_WATCHDOG_*; reset): what is done when the watchdog expires
 * virtio-pci    device string, one of:
 *   blk         fd: the image, a regular file or block device, open with the access and O_DIRECT that it wants,
 *               lock? fd (that its locks are held by, see driver/image-lock.h: open for as long as it is),
 *               format? string ("raw" or "qcow2"; raw), backing-N-fd?, backing-N-lock?, backing-N-format?: the same of
 *               the images behind it, from N = 1 on (up to 14), each open for reading and with the same O_DIRECT,
 *               cache? string ("writeback", "none", "writethrough", "directsync", "unsafe": as libvirt
 *               has them; O_DIRECT goes with none and directsync), io? string ("io_uring", "threads";
 *               what the host has), read-only? bool (false), serial? string (up to 20 bytes),
 *               queues? u64 (1; up to 32), queue-size? u64 (256), logical-block-size? u64 (512),
 *               physical-block-size? u64 (the host's), discard? bool (false), detect-zeroes? string ("off",
 *               the default; "on": what is written as zeros is made zeros; "unmap": and its space given back),
 *               on-write-error? string ("report", "stop", "ignore", "enospace": the default, stop where
 *               the host is full, else report), on-read-error? string ("report", the default, "stop", "ignore"),
 *               iothread? u64 (its number; the main thread, as of every removable one; one that was not added is
 *               there for as long as devices name it),
 *               workers? u64 (8; up to 64): how many threads make the calls of io=threads,
 *               removable? bool (false: the medium, which has to be read-only, can change; without fd there is
 *               none), limits? bool (false; true: what follows are all its limits), limits-group? string (disks that
 *               say the same share them), W-bytes-sec?, W-iops-sec? u64 (of W total, read, write; 0, the default: no
 *               limit), W-bytes-sec-max?, W-iops-sec-max? u64 (a burst's), W-bytes-sec-max-length?,
 *               W-iops-sec-max-length? u64 (seconds that it may last; 1), size-iops-sec? u64 (bytes; larger requests
 *               count as several); see the event "io-error"
 *     tell-device { resize? bool: look at the image's size again; new-size? u64 (bytes, whole blocks): give it that
 *               size, where its format says it (qcow2), while the guest goes on: see the event "resized"; medium? bool:
 *               whether the drive has one from now on, with what is above of an image, cache, io, workers,
 *               detect-zeroes and read-only; limits? with its keys as above, from now on; threshold? u64: see the event
 *               "block-threshold"; 0: none } replies size u64 (bytes; 0 without a medium), resizing bool, rd-requests, rd-bytes, rd-time, wr-requests, wr-bytes, wr-time,
 *               fl-requests, fl-time, errors u64: what was done so far, times in nanoseconds; io-status string
 *               (ok; nospace, failed: the guest waits for what the host has failed); and of a medium's file
 *               file-size, allocated, written-to u64 (bytes: as block.h's BlockUse has them), threshold u64
 *               (0: none, or it is exceeded)
 *   rng         rng? fd (a source of random bytes; the host kernel's generator)
 *   net         mac string ("52:54:00:12:34:56"), mtu? u64 (bytes; what the driver is told), link? bool
 *               (true: the cable is in), queues? u64 (1; pairs of queues, up to 15), thread? bool (true:
 *               a thread of its own; false: the main one), backend string:
 *               "tap": fd0... fd, one for each pair: a tap's with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR,
 *                   and IFF_MULTI_QUEUE where there is more than one; "fd" will do for the first
 *               "stream": fd: a connected stream socket, each frame after its length in four bytes,
 *                   big-endian, as passt has it; one pair
 *               bandwidth? bool (false; true: what follows are all its limits), D-rate?, D-peak?, D-burst? u64 (of D
 *               in, to the guest, and out: bytes a second, bytes a second in a burst, bytes in a burst; 0, the
 *               default: no limit)
 *     tell-device { link? bool; bandwidth? with its keys as above, from now on } replies link bool (false too
 *               where the back end is gone), and rx-packets, rx-bytes, rx-dropped, tx-packets, tx-bytes, tx-dropped u64; rx is what
 *               the guest received
 *   console     serial ports (virtio-serial) with numbers N from 0 to 14, of which 0 is for a console:
 *               port-N-kind string: a character device's, with its keys: port-N-fd, port-N-out, port-N-watch,
 *                   port-N-log, port-N-append, port-N-telnet; port-N-name? string ("org.qemu.guest_agent.0"), port-N-console? bool
 *                   (the guest does not wait for a console's reader, as chardev.h says);
 *               ports? u64: how many there may be in all, with those that come later (1 to 15; those that
 *                   there are, at least 1)
 *     tell-device { remove? u64 (the number of a port that goes), add? u64 (of one that comes, with its keys
 *               port-N-... as above) } replies port-N-guest-open, port-N-host-open bool; see also the event
 *               "port"
 *   balloon     deflate-on-oom? bool, reporting? bool (of free pages; both false), and target?,
 *               stats-period? as below
 *     tell-device { target? u64 (bytes of its RAM that the guest is asked to give back, whole pages),
 *               stats-period? u64 (seconds between reports of the guest's statistics; 0, the default:
 *               none) } replies target, size u64 (bytes that it gave back), stats-time u64 (seconds
 *               since 1970 of the last report; 0: none) and what there was in reports: stat-swap-in,
 *               stat-swap-out, stat-free, stat-total, stat-available, stat-caches u64 (bytes),
 *               stat-major-faults, stat-minor-faults, stat-hugetlb-allocations,
 *               stat-hugetlb-failures u64; see also the event "balloon"
 *   vsock       cid u64 (the guest's: 3 to 2^32 - 2), fd (a listening stream socket: who connects to it and says
 *               "CONNECT PORT\n" is connected to that port of the guest once it has accepted and "OK PORT\n", the
 *               host's port, has been answered), broker? fd (see vsock-broker.h; without it the guest connects to
 *               nobody)
 *     tell-device {} replies streams u64 (how many there are) */
#define VMM_CLASS_ROOT_PORT   "pcie-root-port"
#define VMM_CLASS_PVPANIC_PCI "pvpanic-pci"
#define VMM_CLASS_I6300ESB    "i6300esb"
#define VMM_CLASS_VIRTIO_PCI  "virtio-pci"
