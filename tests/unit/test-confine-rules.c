/* The seccomp filters against the table that they are made of, on a machine for them of our own. */
#include "qemu-kvm-backend/confine-filter.h"
#include "qemu-kvm-backend/confine-rules.h"

#include <glib.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#define LAST_SYSCALL 1023
#define X32          0x40000000u

/* Classic BPF as seccomp(2) has it: loads of a word of seccomp_data, jumps, returns; libseccomp masks
 * arguments with AND. */
static guint32
run(ConfineRole role, const struct seccomp_data *data)
{
    const ConfineFilter *filter = &confine_filters[role];
    guint32 a = 0;

    for (gsize pc = 0; pc < filter->n; pc++) {
        const struct sock_filter *insn = &filter->code[pc];

        switch (insn->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            g_assert_cmpuint(insn->k, <=, sizeof(*data) - 4);
            memcpy(&a, (const char *)data + insn->k, 4);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= insn->k;
            break;
        case BPF_JMP | BPF_JA:
            pc += insn->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == insn->k ? insn->jt : insn->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += a > insn->k ? insn->jt : insn->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            pc += a >= insn->k ? insn->jt : insn->jf;
            break;
        case BPF_RET | BPF_K:
            return insn->k;
        default:
            g_error("instruction %" G_GSIZE_FORMAT " has the code 0x%x", pc, insn->code);
        }
    }
    g_error("the filter has no end");
}

static struct seccomp_data
call(int number)
{
    return (struct seccomp_data){ .nr = number, .arch = AUDIT_ARCH_X86_64 };
}

/* What the table says of a call, slowly. */
static guint32
expected(ConfineRole role, const struct seccomp_data *data)
{
    for (gsize i = 0; i < confine_n_rules; i++) {
        const ConfineRule *rule = &confine_rules[i];
        gboolean met = (rule->roles & (1u << role)) && rule->syscall == data->nr;

        for (guint j = 0; j < G_N_ELEMENTS(rule->args); j++)
            met = met && ((guint32)data->args[rule->args[j].index] & rule->args[j].mask) ==
                             rule->args[j].value;
        if (met)
            return rule->error ? SECCOMP_RET_ERRNO | (guint32)rule->error : SECCOMP_RET_ALLOW;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static void
check(ConfineRole role, const struct seccomp_data *data)
{
    guint32 got = run(role, data), wanted = expected(role, data);

    if (got != wanted)
        g_error("role %d, system call %d (%llx, %llx, %llx, %llx): 0x%x where 0x%x was expected",
                role, data->nr, data->args[0], data->args[1], data->args[2], data->args[3], got,
                wanted);
}

/* Every row, to the letter and a little beside it. */
static void
test_rows(void)
{
    for (guint role = 0; role < CONFINE_N_ROLES; role++) {
        for (gsize i = 0; i < confine_n_rules; i++) {
            const ConfineRule *rule = &confine_rules[i];
            struct seccomp_data data = call(rule->syscall);

            for (guint j = 0; j < G_N_ELEMENTS(rule->args); j++) {
                if (rule->args[j].mask)
                    data.args[rule->args[j].index] = rule->args[j].value;
            }
            check(role, &data);
            if (rule->roles & (1u << role))
                g_assert_cmphex(run(role, &data), !=, SECCOMP_RET_KILL_PROCESS);
            for (guint bit = 0; bit < 32 && rule->args[0].mask; bit++) {
                struct seccomp_data near = data;

                near.args[rule->args[0].index] ^= 1ull << bit;
                check(role, &near);
            }
            /* The kernel reads an int: what is above it must not matter. */
            data.args[1] |= 0xdeadbeef00000000ull;
            check(role, &data);
        }
    }
}

/* What has no row is not allowed, with whatever arguments. */
static void
test_rest(void)
{
    for (guint role = 0; role < CONFINE_N_ROLES; role++) {
        for (int number = 0; number <= LAST_SYSCALL; number++) {
            struct seccomp_data data = call(number);

            check(role, &data);
            memset(data.args, 0xff, sizeof(data.args));
            check(role, &data);
        }
    }
}

/* Other ways into the kernel: 32-bit code, and x32, whose numbers have a bit set. */
static void
test_other_abis(void)
{
    for (guint role = 0; role < CONFINE_N_ROLES; role++) {
        struct seccomp_data data = call(SYS_read);

        g_assert_cmphex(run(role, &data), ==, SECCOMP_RET_ALLOW);
        data.nr |= X32;
        g_assert_cmphex(run(role, &data), ==, SECCOMP_RET_KILL_PROCESS);
        data = call(SYS_read);
        data.arch = AUDIT_ARCH_I386;
        g_assert_cmphex(run(role, &data), ==, SECCOMP_RET_KILL_PROCESS);
    }
}

static gboolean
same_call(const ConfineRule *a, const ConfineRule *b)
{
    if (a->syscall != b->syscall)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(a->args); i++) {
        if (a->args[i].index != b->args[i].index || a->args[i].mask != b->args[i].mask ||
            a->args[i].value != b->args[i].value)
            return FALSE;
    }
    return TRUE;
}

/* One row for each thing, each with roles and a reason; and the roles of threads are within the one that
 * their process starts with, which they cannot leave. */
static void
test_table(void)
{
    for (gsize i = 0; i < confine_n_rules; i++) {
        const ConfineRule *rule = &confine_rules[i];

        g_assert_cmpuint(rule->roles, !=, 0);
        g_assert_cmpuint(rule->roles, <, 1u << CONFINE_N_ROLES);
        g_assert_cmpuint(strlen(rule->reason), >, 4);
        if (!(rule->roles & CONFINE_ROLE(START)))
            g_error("'%s' is a right of threads that start without it", rule->name);
        for (gsize j = i + 1; j < confine_n_rules; j++) {
            if (same_call(rule, &confine_rules[j]))
                g_error("'%s' (%s) is there twice", rule->name, rule->reason);
        }
    }
}

/* What would undo the rest is nobody's right. */
static void
test_never(void)
{
    static const int calls[] = {
        SYS_open,
        SYS_openat,
        SYS_openat2,
        SYS_open_by_handle_at,
        SYS_socket,
        SYS_socketpair,
        SYS_connect,
        SYS_bind,
        SYS_execve,
        SYS_execveat,
        SYS_fork,
        SYS_vfork,
        SYS_ptrace,
        SYS_kill,
        SYS_tkill,
        SYS_pidfd_open,
        SYS_pidfd_getfd,
        SYS_pidfd_send_signal,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_unshare,
        SYS_setns,
        SYS_mount,
        SYS_move_mount,
        SYS_fsopen,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_mknodat,
        SYS_setuid,
        SYS_setresuid,
        SYS_capset,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_keyctl,
        SYS_init_module,
        SYS_finit_module,
        SYS_kexec_load,
        SYS_reboot,
        SYS_memfd_create,
        SYS_pkey_mprotect,
        SYS_personality,
        SYS_modify_ldt,
        SYS_arch_prctl,
        SYS_syslog,
        SYS_unlinkat,
        SYS_renameat2,
        SYS_linkat,
        SYS_inotify_add_watch,
        SYS_name_to_handle_at,
        SYS_prlimit64,
        SYS_setrlimit,
    };

    for (guint role = 0; role < CONFINE_N_ROLES; role++) {
        for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
            struct seccomp_data data = call(calls[i]);

            if (run(role, &data) != SECCOMP_RET_KILL_PROCESS)
                g_error("role %u may make system call %d", role, calls[i]);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/confine-rules/table", test_table);
    g_test_add_func("/confine-rules/rows", test_rows);
    g_test_add_func("/confine-rules/rest", test_rest);
    g_test_add_func("/confine-rules/other-abis", test_other_abis);
    g_test_add_func("/confine-rules/never", test_never);
    return g_test_run();
}
