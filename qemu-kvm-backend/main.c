/* vmctl-vmm: one guest. It starts with a listening socket and a log, and is told the rest. */
#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/control.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/machine.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/signals.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool
is_listener(int fd)
{
    int type = 0, listens = 0;
    socklen_t size = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

int
main(void)
{
    Loop *loop;
    Control *control;
    Machine *machine;

    if (!is_listener(VMM_LISTEN_FD)) {
        fprintf(stderr,
                "vmctl-vmm: descriptor %d is not a listening SOCK_SEQPACKET socket.\n"
                "vmctl-vmm is started by vmctld for each guest, not by hand.\n",
                VMM_LISTEN_FD);
        return EXIT_FAILURE;
    }
    confine_start();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of one write, not the guest's end */
    mallopt(M_ARENA_MAX, 1);  /* vCPU threads hardly allocate: no arena for each */
    fcntl(VMM_LISTEN_FD, F_SETFL, fcntl(VMM_LISTEN_FD, F_GETFL) | O_NONBLOCK);
    loop = loop_new();
    control = control_new(loop, VMM_LISTEN_FD);
    machine = machine_new(loop, control_notify, control);
    control_set_machine(control, machine);
    signals_watch(loop, machine);
    loop_run(loop);
    machine_free(machine);
    control_free(control);
    loop_free(loop);
    return EXIT_SUCCESS;
}
