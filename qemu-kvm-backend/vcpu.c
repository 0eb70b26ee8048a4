#include "qemu-kvm-backend/vcpu.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/regs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define KICK_SIGNAL SIGRTMIN
#define STACK_SIZE  (512u << 10)
/* Rounds that a parking vCPU gets to finish its instruction. A repeated "out" makes one round an
 * element, and a guest must not keep us here for as many as it likes. */
#define FINISH_ROUNDS 1024

typedef struct Vcpu {
    Vcpus *set;
    unsigned index;
    int fd;
    struct kvm_run *run;
    pthread_t thread;
    bool midway; /* parked in an instruction that KVM has not finished */
} Vcpu;

struct Vcpus {
    VcpuOwner owner;
    size_t run_size;
    pthread_mutex_t lock; /* guards what follows up to the blank line */
    pthread_cond_t go;
    pthread_cond_t parked;
    bool open; /* vCPUs may run */
    bool quit;
    unsigned n_out; /* threads that are not parked */

    bool stop; /* atomic: !open || quit, for the threads that run */
    unsigned n;
    int *fds;
    Vcpu *all;
};

static void
on_kick(int number)
{
}

/* The signal only has to interrupt KVM_RUN, so its function does nothing; no SA_RESTART. */
static void
install_kick(void)
{
    struct sigaction action = { .sa_handler = on_kick };

    sigemptyset(&action.sa_mask);
    sigaction(KICK_SIGNAL, &action, NULL);
}

static bool
is_stopping(const Vcpus *vcpus)
{
    return __atomic_load_n(&vcpus->stop, __ATOMIC_ACQUIRE);
}

/* immediate_exit catches a vCPU that is on its way into KVM_RUN, the signal one that is in it. */
static void
kick_all(Vcpus *vcpus)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        Vcpu *vcpu = &vcpus->all[i];

        __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
        pthread_kill(vcpu->thread, KICK_SIGNAL);
    }
}

static void
end(Vcpu *vcpu, VcpuVerdict verdict, const char *text)
{
    vcpus_stop(vcpu->set);
    if (verdict == VCPU_CRASH) {
        log_guest("vCPU %u: %s", vcpu->index, text);
        regs_log(vcpu->fd, vcpu->index, vcpu->set->owner.memory);
    }
    vcpu->set->owner.ended(vcpu->set->owner.data, verdict, text);
}

static void
serve_exit(Vcpu *vcpu)
{
    char text[VCPU_TEXT];
    VcpuVerdict verdict = vcpu_exit(vcpu->run, vcpu->set->owner.pio, vcpu->set->owner.mmio, text);

    if (verdict != VCPU_GO_ON)
        end(vcpu, verdict, text);
}

static void
step(Vcpu *vcpu)
{
    char text[VCPU_TEXT];

    if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
        serve_exit(vcpu);
        return;
    }
    switch (errno) {
    case EINTR: /* kicked: cleared before is_stopping() is asked, so that no kick is lost */
        __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        return;
    case EAGAIN: /* a vCPU that waited for its start-up IPI has got it */
        return;
    default:
        snprintf(text, sizeof(text), "KVM cannot run the vCPU: %s", strerrordesc_np(errno));
        end(vcpu, VCPU_CRASH, text);
    }
}

/* KVM finishes an instruction with I/O on the next KVM_RUN (api.rst, KVM_EXIT_IO), which leaves at
 * once for immediate_exit; only then registers are whole. True when finished. */
static bool
finish_instruction(Vcpu *vcpu)
{
    bool finished = false;

    __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < FINISH_ROUNDS && !finished; i++) {
        finished = ioctl(vcpu->fd, KVM_RUN, 0) < 0;
        if (!finished)
            serve_exit(vcpu);
    }
    return finished;
}

/* False when the thread shall end. */
static bool
park(Vcpu *vcpu)
{
    Vcpus *set = vcpu->set;
    bool quit;

    pthread_mutex_lock(&set->lock);
    if (--set->n_out == 0)
        pthread_cond_signal(&set->parked);
    while (!set->open && !set->quit)
        pthread_cond_wait(&set->go, &set->lock);
    quit = set->quit;
    set->n_out++;
    pthread_mutex_unlock(&set->lock);
    return !quit;
}

static void *
vcpu_thread(void *data)
{
    Vcpu *vcpu = data;
    sigset_t kick;
    char name[16];

    snprintf(name, sizeof(name), "vcpu %u", vcpu->index);
    pthread_setname_np(pthread_self(), name);
    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    confine_thread(CONFINE_VCPU);
    while (park(vcpu)) {
        while (!is_stopping(vcpu->set))
            step(vcpu);
        vcpu->midway = !finish_instruction(vcpu);
    }
    return NULL;
}

Vcpus *
vcpus_new(unsigned n_max, const VcpuOwner *owner)
{
    Vcpus *vcpus = vmm_must(calloc(1, sizeof(*vcpus)));

    install_kick();
    vcpus->owner = *owner;
    vcpus->stop = true;
    pthread_mutex_init(&vcpus->lock, NULL);
    pthread_cond_init(&vcpus->go, NULL);
    pthread_cond_init(&vcpus->parked, NULL);
    vcpus->fds = vmm_must(calloc(n_max, sizeof(int)));
    vcpus->all = vmm_must(calloc(n_max, sizeof(Vcpu)));
    return vcpus;
}

void
vcpus_free(Vcpus *vcpus)
{
    if (!vcpus)
        return;
    pthread_mutex_lock(&vcpus->lock);
    vcpus->quit = true;
    __atomic_store_n(&vcpus->stop, true, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&vcpus->go);
    kick_all(vcpus);
    pthread_mutex_unlock(&vcpus->lock);
    for (unsigned i = 0; i < vcpus->n; i++) {
        pthread_join(vcpus->all[i].thread, NULL);
        munmap(vcpus->all[i].run, vcpus->run_size);
        close(vcpus->fds[i]);
    }
    pthread_cond_destroy(&vcpus->go);
    pthread_cond_destroy(&vcpus->parked);
    pthread_mutex_destroy(&vcpus->lock);
    free(vcpus->fds);
    free(vcpus->all);
    free(vcpus);
}

/* All signals but the kick are the main thread's. */
static bool
start_thread(Vcpu *vcpu, VmmError *err)
{
    sigset_t all, old;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    vcpu->set->n_out++; /* until the thread parks */
    errno = pthread_create(&vcpu->thread, &attr, vcpu_thread, vcpu);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (errno == 0)
        return true;
    vcpu->set->n_out--;
    return vmm_error_errno(err, "Cannot start the thread of vCPU %u", vcpu->index);
}

bool
vcpus_add(Vcpus *vcpus, int fd, size_t run_size, VmmError *err)
{
    Vcpu *vcpu = &vcpus->all[vcpus->n];
    void *run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (run == MAP_FAILED) {
        vmm_error_errno(err, "Cannot map the run area of vCPU %u", vcpus->n);
        close(fd);
        return false;
    }
    *vcpu = (Vcpu){ .set = vcpus, .index = vcpus->n, .fd = fd, .run = run };
    pthread_mutex_lock(&vcpus->lock);
    if (!start_thread(vcpu, err)) {
        pthread_mutex_unlock(&vcpus->lock);
        munmap(run, run_size);
        close(fd);
        return false;
    }
    vcpus->run_size = run_size;
    vcpus->fds[vcpus->n++] = fd;
    pthread_mutex_unlock(&vcpus->lock);
    return true;
}

const int *
vcpus_fds(const Vcpus *vcpus, unsigned *ret_n)
{
    *ret_n = vcpus->n;
    return vcpus->fds;
}

void
vcpus_run(Vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->open = true;
    __atomic_store_n(&vcpus->stop, false, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&vcpus->go);
    pthread_mutex_unlock(&vcpus->lock);
}

void
vcpus_stop(Vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->open = false;
    __atomic_store_n(&vcpus->stop, true, __ATOMIC_SEQ_CST);
    kick_all(vcpus);
    pthread_mutex_unlock(&vcpus->lock);
}

void
vcpus_wait(Vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    while (vcpus->n_out > 0)
        pthread_cond_wait(&vcpus->parked, &vcpus->lock);
    pthread_mutex_unlock(&vcpus->lock);
}

/* A repeat count of 0 is how a string instruction ends. */
static bool
abandon(Vcpu *vcpu)
{
    struct kvm_regs regs;

    if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
        return false;
    regs.rcx = 0;
    return ioctl(vcpu->fd, KVM_SET_REGS, &regs) == 0 && finish_instruction(vcpu);
}

bool
vcpus_abandon(Vcpus *vcpus, VmmError *err)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        Vcpu *vcpu = &vcpus->all[i];

        if (vcpu->midway && !abandon(vcpu))
            return vmm_error(err, VMM_ERROR_FAILED, "vCPU %u does not end its instruction", i);
        vcpu->midway = false;
    }
    return true;
}

bool
vcpus_finish(Vcpus *vcpus, VmmError *err)
{
    for (unsigned i = 0; i < vcpus->n; i++) {
        Vcpu *vcpu = &vcpus->all[i];

        if (vcpu->midway)
            vcpu->midway = !finish_instruction(vcpu);
        if (vcpu->midway)
            return vmm_error(err, VMM_ERROR_STATE,
                             "vCPU %u is in the middle of a long instruction: let the guest run on",
                             i);
    }
    return true;
}

uint64_t
vcpus_cpu_time_ns(const Vcpus *vcpus, unsigned i)
{
    struct timespec time = { 0 };
    clockid_t clock;

    if (pthread_getcpuclockid(vcpus->all[i].thread, &clock) == 0)
        clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}
