#include "qemu-kvm-backend/confine-rules.h"

#include "qemu-kvm-backend/proto/amx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define START   CONFINE_ROLE(START)
#define MAIN    CONFINE_ROLE(MAIN)
#define VCPU    CONFINE_ROLE(VCPU)
#define IO      CONFINE_ROLE(IO)
#define RUNNING (MAIN | VCPU | IO) /* the roles next to a guest that runs */
#define ALL     (START | RUNNING)

#define CALL(roles, name, reason)                                                                  \
    {                                                                                              \
        roles, SYS_##name, #name, { { 0 } }, 0, reason                                             \
    }
/* With arguments: INDEX is the argument's, from 0. */
#define EQUAL(index, value)                                                                        \
    {                                                                                              \
        index, ~0u, value                                                                          \
    }
#define WITHOUT(index, bits)                                                                       \
    {                                                                                              \
        index, bits, 0                                                                             \
    }
#define CALL_IF(roles, name, arg, reason)                                                          \
    {                                                                                              \
        roles, SYS_##name, #name, { arg }, 0, reason                                               \
    }
#define CALL_IF_BOTH(roles, name, arg, other, reason)                                              \
    {                                                                                              \
        roles, SYS_##name, #name, { arg, other }, 0, reason                                        \
    }
#define REFUSE(roles, name, error, reason)                                                         \
    {                                                                                              \
        roles, SYS_##name, #name, { { 0 } }, error, reason                                         \
    }
#define IOCTL(roles, request, reason)                                                              \
    {                                                                                              \
        roles, SYS_ioctl, "ioctl " #request, { EQUAL(1, (uint32_t)(request)) }, 0, reason          \
    }

/* What glibc's pthread_create() asks for, to the bit: a thread of this process and nothing else. */
#define A_THREAD                                                                                   \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

#define KICK_SIGNAL 34 /* SIGRTMIN to a program that has glibc's threads */

const ConfineRule confine_rules[] = {
    /* Waiting, and being woken */
    CALL(ALL, futex, "locks and conditions"),
    CALL(START | MAIN | IO, epoll_wait, "the event loop"),
    CALL(START | MAIN | IO, epoll_pwait, "the event loop, as other C libraries call it"),
    CALL(ALL, epoll_ctl, "the event loop; a device may watch a descriptor from any thread"),
    CALL(ALL, poll, "whether a pty is hung up, a socket has room"),
    CALL(ALL, restart_syscall, "the kernel's own way to resume a wait"),
    CALL(ALL, sched_yield, "locks of the C library"),
    CALL(ALL, rt_sigreturn, "the end of the signal that calls a vCPU back"),
    CALL(ALL, rt_sigprocmask, "threads start and end with signals blocked"),
    CALL_IF_BOTH(ALL, tgkill, EQUAL(0, CONFINE_OWN_PID), EQUAL(2, KICK_SIGNAL),
                 "calling a vCPU of this process back"),
    CALL_IF_BOTH(ALL, tgkill, EQUAL(0, CONFINE_OWN_PID), EQUAL(2, SIGABRT), "abort()"),
    CALL(ALL, getpid, "pthread_kill() and abort()"),
    CALL(ALL, gettid, "abort()"),

    /* Time, where the vDSO leaves it to the kernel */
    CALL(ALL, clock_gettime, "clocks of the guest, time stamps of the log, vCPU time"),
    CALL(ALL, timerfd_settime, "alarms of devices"),

    /* Memory, never executable */
    CALL(ALL, brk, "malloc()"),
    CALL_IF(ALL, mmap, WITHOUT(2, PROT_EXEC), "malloc(), what a console has not read yet"),
    CALL_IF(ALL, mprotect, WITHOUT(2, PROT_EXEC), "stacks of new threads, malloc()"),
    CALL(ALL, munmap, "the same backwards"),
    CALL(ALL, mremap, "realloc() of large blocks"),
    CALL(ALL, madvise, "guest RAM, pages that a balloon gives back, stacks of ended threads"),
    CALL(START, mlock, "guest RAM that is locked"),
    CALL(START | MAIN, mbind, "guest RAM on nodes of the host; later, too"),
    CALL(ALL, getrandom, "virtio-rng; malloc()'s own"),

    /* Files, consoles, sockets and event counters, all of them given to us open */
    CALL(ALL, read, "kernels, consoles, timers and event counters"),
    CALL(ALL, write, "consoles, event counters, the log"),
    CALL(ALL, readv, "consoles and network packets"),
    CALL(ALL, writev, "consoles and network packets; the C library's last words"),
    CALL(ALL, pread64, "kernels and disks"),
    CALL(START | MAIN | VCPU | IO, pwrite64, "the exit record, disks, a firmware's variables"),
    CALL(START | MAIN | IO, preadv, "disks"),
    CALL(START | MAIN | IO, pwritev, "disks"),
    CALL(START | MAIN | IO, preadv2, "disks"),
    CALL(START | MAIN | IO, pwritev2, "disks, with RWF_DSYNC"),
    CALL(START | MAIN | IO, fdatasync, "disks: the guest flushes"),
    CALL(START | MAIN | IO, fallocate, "disks: the guest discards or writes zeroes"),
    CALL(START | MAIN | IO, lseek, "a disk's size; where a file of guest RAM has data"),
    CALL(START | MAIN | IO, io_uring_enter, "disks; each ring is restricted when it is made"),
    CALL(START | MAIN, io_uring_setup,
         "disks, hot plug too; seccomp does not see what a ring does"),
    CALL(START | MAIN, io_uring_register,
         "the same: the ring is restricted to what its disk needs"),
    CALL(START | MAIN | IO, fstat, "the size of a kernel, the kind of a disk and how much it takes"),
    CALL_IF(START | MAIN | IO, newfstatat, EQUAL(3, AT_EMPTY_PATH), "fstat() of newer C libraries"),
    CALL(START, fstatfs, "whether a file of guest RAM is of huge pages"),
    CALL_IF(START | MAIN, statx, EQUAL(2, AT_EMPTY_PATH),
            "what O_DIRECT asks of a disk's requests"),
    CALL_IF(START | MAIN, fcntl, EQUAL(1, F_GETFL), "making a descriptor non-blocking"),
    CALL_IF(START | MAIN, fcntl, EQUAL(1, F_SETFL), "making a descriptor non-blocking"),
    CALL_IF(START | MAIN, fcntl, EQUAL(1, F_DUPFD_CLOEXEC), "a descriptor that two own"),
    CALL_IF(START | MAIN, fcntl, EQUAL(1, F_OFD_SETLK), "locking a disk"),
    CALL_IF(START | MAIN, fcntl, EQUAL(1, F_OFD_GETLK), "who has locked a disk"),
    CALL(ALL, close, "whatever is no longer needed"),
    CALL(ALL, eventfd2, "interrupts and kicks of virtqueues, when a guest sets them up"),
    CALL(START | MAIN, timerfd_create, "alarms of devices"),
    CALL(START | MAIN, epoll_create1, "event loops"),

    /* The driver's connection, console sockets and passt */
    CALL(START | MAIN | IO, accept4, "the driver comes back; a client of a console's socket"),
    CALL(START | MAIN | IO, recvmsg, "requests, with their descriptors"),
    CALL(START | MAIN | IO, sendmsg, "replies and events; network packets"),
    CALL(START | MAIN | IO, recvfrom, "network packets from a socket"),
    CALL(START | MAIN | IO, sendto, "network packets to a socket"),
    CALL(START | MAIN | IO, shutdown, "the end of a console's connection"),
    CALL(START | MAIN | IO, getsockopt, "who the driver is; the kind of a socket"),
    CALL(START | MAIN, geteuid, "whether the peer is who we run as"),

    /* Threads, those of hot-plugged devices too */
    REFUSE(START | MAIN, clone3, ENOSYS,
           "its flags cannot be seen from here: the C library tries clone()"),
    CALL_IF(START | MAIN, clone, EQUAL(0, A_THREAD), "vCPUs and I/O threads"),
    CALL(START | MAIN, set_robust_list, "a thread's start"),
    CALL(START | MAIN, rseq, "a thread's start"),
    CALL_IF(START | MAIN, prctl, EQUAL(0, PR_SET_NAME), "threads have names"),
    CALL(START | MAIN, rt_sigaction, "the signal that calls vCPUs back; the first thread's start"),
    CALL(START, signalfd4, "what an administrator says by kill(1)"),
    CALL_IF_BOTH(START | MAIN, seccomp, EQUAL(0, SECCOMP_SET_MODE_FILTER), EQUAL(1, 0),
                 "a narrower filter for each thread"),
    CALL(ALL, exit, "a thread's end"),
    CALL(ALL, exit_group, "the process' end"),

    /* KVM: building a machine */
    IOCTL(START, KVM_GET_API_VERSION, "whether this is /dev/kvm"),
    IOCTL(START, KVM_CREATE_VM, "the machine"),
    IOCTL(START, KVM_GET_VCPU_MMAP_SIZE, "the run area of vCPUs"),
    CALL_IF_BOTH(START, arch_prctl, EQUAL(0, ARCH_REQ_XCOMP_GUEST_PERM), EQUAL(1, AMX_TILE_DATA),
                 "AMX in guests"),
    IOCTL(START | MAIN, KVM_GET_SUPPORTED_CPUID, "what guests may be told of their CPU; state"),
    IOCTL(START, KVM_GET_SUPPORTED_HV_CPUID, "what of Hyper-V guests may be told of"),
    IOCTL(START, KVM_GET_MSR_INDEX_LIST, "what to save of a vCPU"),
    IOCTL(START, KVM_SET_IDENTITY_MAP_ADDR, "the machine's layout"),
    IOCTL(START, KVM_SET_TSS_ADDR, "the machine's layout"),
    IOCTL(START, KVM_CREATE_IRQCHIP, "interrupt controllers"),
    IOCTL(START, KVM_CREATE_PIT2, "interval timer"),
    IOCTL(START, KVM_REINJECT_CONTROL, "interval timer"),
    IOCTL(START, KVM_ENABLE_CAP, "no performance counters; the SynIC of Hyper-V"),
    IOCTL(START, KVM_CREATE_VCPU, "vCPUs"),
    IOCTL(ALL, KVM_CHECK_EXTENSION, "what KVM can do"),

    /* KVM: running a guest */
    IOCTL(START | MAIN | VCPU, KVM_RUN,
          "running; the main thread ends instructions before a reset"),
    IOCTL(ALL, KVM_IRQ_LINE, "interrupt lines"),
    IOCTL(ALL, KVM_SET_GSI_ROUTING, "interrupt messages, when a guest sets them up"),
    IOCTL(ALL, KVM_IRQFD, "interrupts of virtqueues, when a guest sets them up; hot plug"),
    IOCTL(ALL, KVM_IOEVENTFD, "kicks of virtqueues, when a guest sets them up; hot plug"),
    IOCTL(START | MAIN | VCPU, KVM_SET_USER_MEMORY_REGION,
          "RAM; flash and shadowed ROM change places when a guest writes there; hot plug"),
    IOCTL(START | MAIN, KVM_GET_DIRTY_LOG, "which RAM has changed"),
    IOCTL(START | MAIN, KVM_NMI, "the NMI button, by request or of a watchdog"),
    IOCTL(START | MAIN, KVM_KVMCLOCK_CTRL, "a pause is not the guest's fault"),

    /* KVM: registers, to reset, save and restore; vCPUs read theirs for the log when they crash */
    IOCTL(START | MAIN | VCPU, KVM_GET_REGS, "reset, state, a crash in the log"),
    IOCTL(START | MAIN | VCPU, KVM_GET_SREGS, "reset, state, a crash in the log"),
    IOCTL(START | MAIN | VCPU, KVM_TRANSLATE, "the code at a crash, for the log; peek"),
    IOCTL(START | MAIN, KVM_SET_REGS, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_SREGS, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_MSRS, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_MSRS, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_LAPIC, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_LAPIC, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_XSAVE, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_XSAVE2, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_XSAVE, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_XCRS, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_XCRS, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_DEBUGREGS, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_DEBUGREGS, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_VCPU_EVENTS, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_VCPU_EVENTS, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_MP_STATE, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_MP_STATE, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_NESTED_STATE, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_NESTED_STATE, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_IRQCHIP, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_IRQCHIP, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_PIT2, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_PIT2, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_SREGS2, "reset, state"),
    IOCTL(START | MAIN, KVM_SET_SREGS2, "reset, state"),
    IOCTL(START | MAIN, KVM_GET_CPUID2, "state: the CPU that the guest sees"),
    IOCTL(START | MAIN, KVM_SET_CPUID2, "vCPUs; state: a restored guest sees the same CPU"),
    IOCTL(START | MAIN, KVM_GET_CLOCK, "state"),
    IOCTL(START | MAIN, KVM_SET_CLOCK, "state"),
    IOCTL(START | MAIN, KVM_GET_TSC_KHZ, "the guest's clock; state"),
    IOCTL(START | MAIN, KVM_SET_TSC_KHZ, "the same, where the host's TSC has another rate"),
    IOCTL(START | MAIN, KVM_GET_DEVICE_ATTR, "state: a vCPU's TSC offset"),
    IOCTL(START | MAIN, KVM_SET_DEVICE_ATTR, "state: a vCPU's TSC offset"),

    /* Devices' own */
    IOCTL(START | MAIN, TIOCGPTPEER, "a pty that nobody has opened yet says that it is hung up"),
    IOCTL(ALL, TUNSETOFFLOAD, "a tap's offloads, when a guest has chosen its features"),
    IOCTL(START | MAIN, TUNGETIFF, "what kind of a tap it is"),
    IOCTL(START | MAIN, TUNSETVNETHDRSZ, "a tap's header"),
    IOCTL(ALL, TUNSETQUEUE, "a tap's queues come and go as a guest asks"),
    IOCTL(START | MAIN | IO, BLKGETSIZE64, "the size of a block device"),
    IOCTL(START | MAIN | IO, BLKDISCARD, "a block device: the guest discards"),
    IOCTL(START | MAIN, BLKPBSZGET, "the sectors of a block device"),
    IOCTL(START | MAIN, BLKSSZGET, "what O_DIRECT asks of a block device's requests"),
};

const size_t confine_n_rules = sizeof(confine_rules) / sizeof(confine_rules[0]);
