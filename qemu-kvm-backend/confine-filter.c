#include "qemu-kvm-backend/confine-filter.h"

#include "qemu-kvm-backend/confine-filters.h"
#include "qemu-kvm-backend/confine-rules.h"

#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel copies the code, so ours needs to live no longer than the call. */
bool
confine_filter_load(ConfineRole role)
{
    const ConfineFilter *filter = &confine_filters[role];
    struct sock_filter code[CONFINE_FILTER_MAX];
    struct sock_fprog program = { .len = filter->n, .filter = code };
    uint32_t own_pid = getpid();

    memcpy(code, filter->code, filter->n * sizeof(code[0]));
    for (size_t i = 0; i < filter->n; i++) {
        if (code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && code[i].k == CONFINE_OWN_PID)
            code[i].k = own_pid;
    }
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}
