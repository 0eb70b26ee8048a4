#include "qemu-kvm-backend/signals.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct Signals {
    int fd;
    Machine *machine;
} Signals;

static Signals signals = { .fd = -1 };

/* @then: NULL, or what the power-off that answers the button does instead. */
static void
press_button(Machine *machine, const char *then)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_POWER_BUTTON);
    VmmError err;

    if (then)
        vmm_msg_put_string(request, "then", then);
    if (!machine_power_button(machine, request, &err))
        log_line("A signal asks for the power button: %s", err.text);
}

static void
heard(void *data, uint32_t events)
{
    struct signalfd_siginfo info;

    if (read(signals.fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGTERM)
        machine_quit(signals.machine);
    else
        press_button(signals.machine, info.ssi_signo == SIGINT ? VMM_ACTION_RESET : NULL);
}

void
signals_watch(Loop *loop, Machine *machine)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGRTMIN + 4);
    signals = (Signals){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), machine };
    if (signals.fd < 0 || !loop_add_fd(loop, signals.fd, EPOLLIN, heard, NULL)) {
        log_line("Signals keep their plain meaning: %s", strerrordesc_np(errno));
        signals.fd = -1;
        return;
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
mask_end(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    if (signals.fd >= 0)
        sigprocmask(how, &set, NULL);
}

void
signals_step_aside(void)
{
    mask_end(SIG_UNBLOCK);
}

void
signals_step_back(void)
{
    mask_end(SIG_BLOCK);
}
