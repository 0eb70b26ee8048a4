/* confine-compile: writes the filters of confine-rules as C, at build time.
 *
 * libseccomp makes them, which knows how to do it well. Measured at run time, for one role: a process
 * that links libseccomp and makes its filter itself has 246 KiB (PSS) more and takes 0.39 ms; one that
 * has the finished program takes 0.09 ms, nearly all of it the kernel's, and its 4 KiB of programs are
 * the same pages for all guests. (And libseccomp asks the kernel things that the first filter forbids,
 * so a second one could not be made.) */
#include "qemu-kvm-backend/confine-rules.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[CONFINE_N_ROLES] = {
    [CONFINE_START] = "start",
    [CONFINE_MAIN] = "main",
    [CONFINE_VCPU] = "vcpu",
    [CONFINE_IO] = "io",
};

static void
must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "confine-compile: %s: %s\n", what, strerror(-result));
    exit(EXIT_FAILURE);
}

static void
add(scmp_filter_ctx ctx, const ConfineRule *rule)
{
    uint32_t action = rule->error ? SCMP_ACT_ERRNO(rule->error) : SCMP_ACT_ALLOW;
    struct scmp_arg_cmp args[2];
    unsigned n = 0;

    for (unsigned i = 0; i < 2; i++) {
        const ConfineArg *arg = &rule->args[i];

        if (arg->mask)
            args[n++] = SCMP_CMP64(arg->index, SCMP_CMP_MASKED_EQ, arg->mask, arg->value);
    }
    must(seccomp_rule_add_array(ctx, action, rule->syscall, n, args), rule->name);
}

/* KVM_RUN is what vCPUs do all the time, and libseccomp has it last of a long list of ioctls, where it
 * would take 88 instructions to find out in both of a thread's filters: here it comes first. */
static size_t
put_shortcut(ConfineRole role, struct sock_filter *code)
{
    const struct sock_filter shortcut[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KVM_RUN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    for (size_t i = 0; i < confine_n_rules; i++) {
        const ConfineRule *rule = &confine_rules[i];

        if (rule->syscall == SYS_ioctl && rule->args[0].value == KVM_RUN &&
            (rule->roles & (1u << role))) {
            memcpy(code, shortcut, sizeof(shortcut));
            return sizeof(shortcut) / sizeof(shortcut[0]);
        }
    }
    return 0;
}

/* The program of @role; the number of its instructions. */
static size_t
compile(ConfineRole role, struct sock_filter *code, size_t room)
{
    size_t n = put_shortcut(role, code);
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int fd = memfd_create("filter", 0);
    ssize_t size;

    must(ctx && fd >= 0 ? 0 : -1, "setting up");
    must(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "other ABIs");
    must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "a binary tree");
    for (size_t i = 0; i < confine_n_rules; i++) {
        if (confine_rules[i].roles & (1u << role))
            add(ctx, &confine_rules[i]);
    }
    must(seccomp_export_bpf(ctx, fd), "export");
    seccomp_release(ctx);
    size = pread(fd, code + n, (room - n) * sizeof(*code), 0);
    must(size > 0 && size % sizeof(*code) == 0 ? 0 : -1, "reading the program");
    close(fd);
    return n + size / sizeof(*code);
}

static void
print(ConfineRole role, const struct sock_filter *code, size_t n)
{
    printf("\nstatic const struct sock_filter %s_code[] = {\n", names[role]);
    for (size_t i = 0; i < n; i++)
        printf("    { 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt, code[i].jf,
               code[i].k);
    printf("};\n");
}

int
main(void)
{
    static struct sock_filter code[BPF_MAXINSNS];
    size_t longest = 0;

    printf("/* Made by confine-compile of confine-rules.c: change that. */\n");
    for (unsigned role = 0; role < CONFINE_N_ROLES; role++) {
        size_t n = compile(role, code, BPF_MAXINSNS);

        print(role, code, n);
        longest = n > longest ? n : longest;
    }
    printf("\n#define CONFINE_FILTER_MAX %zu\n\nconst ConfineFilter confine_filters[] = {\n",
           longest);
    for (unsigned role = 0; role < CONFINE_N_ROLES; role++)
        printf("    { %s_code, sizeof(%s_code) / sizeof(%s_code[0]) },\n", names[role], names[role],
               names[role]);
    printf("};\n");
    return ferror(stdout) || fclose(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
