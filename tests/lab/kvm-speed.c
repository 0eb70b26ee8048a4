/* kvm-speed: whether this host's KVM runs a guest's kernel at the speed of the processor.
 *
 * There are hosts, themselves guests, whose /dev/kvm emulates the guest's privileged code one instruction
 * after the other: what is correct but takes minutes is of no use for a demo. Runs a loop of known length
 * in ring 0 and prints what one instruction took. Exit status: 0 fast enough for a stock kernel, 1 too
 * slow, 2 no usable KVM; with the reason on standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define N_ROUNDS          2000000u
#define N_INSTRUCTIONS    (2.0 * N_ROUNDS)
#define LIMIT_S           2
#define LIMIT_NS_PER_INSN 50.0 /* the lab's doubly emulated KVM needs about 1, an emulator of ring 0 1000 */
#define CODE_ADDR         0x1000u
#define MEMORY_SIZE       0x2000u

/* mov ecx, N_ROUNDS; again: dec ecx; jnz again; hlt */
static const uint8_t code[] = {
    0xb9, N_ROUNDS & 0xff, (N_ROUNDS >> 8) & 0xff, (N_ROUNDS >> 16) & 0xff, N_ROUNDS >> 24,
    0x49, 0x75, 0xfd, 0xf4,
};

static int
unusable(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return 2;
}

/* Flat 32-bit protected mode without paging. */
static int
set_registers(int vcpu)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = { .rip = CODE_ADDR, .rflags = 2 };
    struct kvm_segment flat = { .limit = 0xffffffff, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1 };

    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    flat.selector = 16;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
    flat.selector = 8;
    flat.type = 11;
    sregs.cs = flat;
    sregs.cr0 |= 1;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
        return -1;
    return ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* A vCPU about to run the code, or -1; @ret_run is where KVM says why it stopped. */
static int
make_vcpu(int kvm, const struct kvm_run **ret_run, const char **ret_failed)
{
    struct kvm_userspace_memory_region slot = { .guest_phys_addr = 0, .memory_size = MEMORY_SIZE };
    uint8_t *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int vm, vcpu, size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    *ret_failed = "guest memory";
    if (memory == MAP_FAILED)
        return -1;
    memcpy(memory + CODE_ADDR, code, sizeof(code));
    slot.userspace_addr = (uintptr_t)memory;
    *ret_failed = "KVM_CREATE_VM";
    if ((vm = ioctl(kvm, KVM_CREATE_VM, 0)) < 0)
        return -1;
    *ret_failed = "KVM_SET_USER_MEMORY_REGION";
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
        return -1;
    *ret_failed = "KVM_CREATE_VCPU";
    if ((vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) < 0)
        return -1;
    *ret_failed = "kvm_run";
    if ((*ret_run = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, vcpu, 0)) == MAP_FAILED)
        return -1;
    *ret_failed = "setting registers";
    return set_registers(vcpu) < 0 ? -1 : vcpu;
}

static void
on_alarm(int number)
{
    (void)number; /* it makes KVM_RUN return */
}

/* Runs to the HLT or to the time limit. The seconds that it took, or -1. */
static double
run(int vcpu)
{
    const struct itimerval limit = { .it_value = { LIMIT_S, 0 }, .it_interval = { 0, 100000 } };
    const struct sigaction action = { .sa_handler = on_alarm };
    struct timespec from, to;
    int result;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &limit, NULL);
    clock_gettime(CLOCK_MONOTONIC, &from);
    result = ioctl(vcpu, KVM_RUN, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (result < 0 && errno != EINTR)
        return -1;
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

int
main(void)
{
    const struct kvm_run *vcpu_run;
    const char *failed;
    double seconds, ns;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vcpu, fast;

    if (kvm < 0)
        return unusable("/dev/kvm");
    if ((vcpu = make_vcpu(kvm, &vcpu_run, &failed)) < 0)
        return unusable(failed);
    if ((seconds = run(vcpu)) < 0)
        return unusable("KVM_RUN");
    if (seconds < LIMIT_S && vcpu_run->exit_reason != KVM_EXIT_HLT) {
        printf("KVM_RUN stopped with exit reason %u\n", vcpu_run->exit_reason);
        return 2;
    }
    ns = seconds * 1e9 / N_INSTRUCTIONS;
    fast = seconds < LIMIT_S && ns < LIMIT_NS_PER_INSN;
    printf("%s%.1f ns per instruction in ring 0\n", seconds < LIMIT_S ? "" : "more than ", ns);
    return !fast;
}
