/* The parts of the machine that need no KVM: what "create" asks for, what a KVM must have, what a
 * vCPU's exits mean. */
#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/vcpu-exit.h"

#include "qemu-kvm-backend/device.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

static int
null_fd(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static VmmMsg *
new_create(void)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);

    vmm_msg_put_fd(msg, "kvm", null_fd());
    vmm_msg_put_fd(msg, "kernel", null_fd());
    vmm_msg_put_u64(msg, "memory", 64 << 20);
    vmm_msg_put_u64(msg, "vcpus", 4);
    return msg;
}

static void
test_defaults(void)
{
    vmm_msg_auto msg = new_create();
    MachineConfig config;

    g_assert_true(machine_config_read(&config, msg, NULL));
    g_assert_cmpint(config.kvm_fd, >=, 0);
    g_assert_cmpint(config.kernel_fd, >=, 0);
    g_assert_cmpint(config.initrd_fd, ==, -1);
    g_assert_cmpint(config.record_fd, ==, -1);
    g_assert_cmpstr(config.cmdline, ==, "");
    g_assert_true(config.acpi);
    g_assert_true(config.pae);
    g_assert_cmpuint(config.topology.n_vcpus, ==, 4);
    g_assert_cmpuint(config.topology.sockets, ==, 4);
    g_assert_cmpuint(config.topology.dies * config.topology.cores * config.topology.threads, ==, 1);
    g_assert_cmpstr(config.policy.on_poweroff, ==, VMM_ACTION_STOP);
    g_assert_cmpstr(config.policy.on_reboot, ==, VMM_ACTION_RESET);
    g_assert_cmpstr(config.policy.on_crash, ==, VMM_ACTION_STOP);
    machine_config_clear(&config);
}

static void
test_everything(void)
{
    vmm_msg_auto msg = new_create();
    MachineConfig config;

    vmm_msg_put_fd(msg, "initrd", null_fd());
    vmm_msg_put_fd(msg, "record", null_fd());
    vmm_msg_put_u64(msg, "sockets", 1);
    vmm_msg_put_u64(msg, "dies", 1);
    vmm_msg_put_u64(msg, "cores", 2);
    vmm_msg_put_u64(msg, "threads", 2);
    vmm_msg_put_string(msg, "cmdline", "console=ttyS0");
    vmm_msg_put_bool(msg, "acpi", false);
    vmm_msg_put_bool(msg, "pae", false);
    vmm_msg_put_string(msg, "on-poweroff", VMM_ACTION_RESET);
    vmm_msg_put_string(msg, "on-reboot", VMM_ACTION_STOP);
    vmm_msg_put_string(msg, "on-crash", VMM_ACTION_PAUSE);
    g_assert_true(machine_config_read(&config, msg, NULL));
    g_assert_cmpint(config.initrd_fd, >=, 0);
    g_assert_cmpint(config.record_fd, >=, 0);
    g_assert_cmpuint(config.topology.cores, ==, 2);
    g_assert_cmpuint(config.topology.threads, ==, 2);
    g_assert_cmpstr(config.cmdline, ==, "console=ttyS0");
    g_assert_false(config.acpi);
    g_assert_false(config.pae);
    g_assert_cmpstr(config.policy.on_poweroff, ==, VMM_ACTION_RESET);
    g_assert_cmpstr(config.policy.on_reboot, ==, VMM_ACTION_STOP);
    g_assert_cmpstr(config.policy.on_crash, ==, VMM_ACTION_PAUSE);
    machine_config_clear(&config);
}

/* All or nothing. */
static void
test_policy(void)
{
    MachinePolicy policy = { VMM_ACTION_STOP, VMM_ACTION_RESET, VMM_ACTION_STOP };
    vmm_msg_auto good = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_SET_ACTION);
    vmm_msg_auto bad = vmm_msg_new(VMM_MSG_REQUEST, 2, VMM_SET_ACTION);
    VmmError err;

    vmm_msg_put_string(good, "on-reboot", VMM_ACTION_STOP);
    g_assert_true(machine_policy_read(&policy, good, &err));
    g_assert_cmpstr(policy.on_reboot, ==, VMM_ACTION_STOP);
    vmm_msg_put_string(bad, "on-poweroff", VMM_ACTION_PAUSE);
    vmm_msg_put_string(bad, "on-crash", "explode");
    g_assert_false(machine_policy_read(&policy, bad, &err));
    g_assert_cmpstr(err.text, ==, "on-crash: there is no action 'explode'");
    g_assert_cmpstr(policy.on_poweroff, ==, VMM_ACTION_STOP);
}

static int
has_all_but(void *data, int capability)
{
    return capability != *(int *)data;
}

static void
test_capabilities(void)
{
    int lacking = -1;
    VmmError err;

    g_assert_true(kvm_check_capabilities(has_all_but, &lacking, &err));
    lacking = KVM_CAP_IMMEDIATE_EXIT;
    g_assert_false(kvm_check_capabilities(has_all_but, &lacking, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_UNSUPPORTED);
    g_assert_cmpstr(err.text, ==,
                    "KVM lacks KVM_CAP_IMMEDIATE_EXIT: needed for stopping a vCPU without losing "
                    "the request");
}

/* Exits: a kvm_run with room for what is written and read through it. */

typedef struct Exits {
    Board board;
    Device *dev;
    GString *written;
    guint8 next;
    union {
        struct kvm_run run;
        guint8 room[8192];
    };
    char text[VCPU_TEXT];
} Exits;

static Exits *current;

static guint64
echo_read(Device *dev, guint64 offset, unsigned size)
{
    return current->next++;
}

static void
echo_write(Device *dev, guint64 offset, unsigned size, guint64 value)
{
    g_string_append_printf(current->written, "%u:%" G_GINT64_MODIFIER "x ", (unsigned)offset,
                           value);
}

static const BusOps echo_ops = { echo_read, echo_write };

static bool
echo_create(Device *dev, VmmMsg *params, VmmError *err)
{
    return device_claim(dev, dev->board->pio, 0x80, 4, &echo_ops, err) &&
           device_claim(dev, dev->board->mmio, 0xd0000000, 4096, &echo_ops, err);
}

static const DeviceClass echo_class = { .name = "echo",
                                        .size = sizeof(Device),
                                        .create = echo_create };

static void
exits_set_up(Exits *exits, gconstpointer data)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    current = exits;
    exits->board.pio = bus_new("port I/O");
    exits->board.mmio = bus_new("MMIO");
    exits->written = g_string_new(NULL);
    exits->dev = device_new(&echo_class, &exits->board, "echo", params, NULL);
}

static void
exits_tear_down(Exits *exits, gconstpointer data)
{
    device_free(exits->dev);
    bus_free(exits->board.pio);
    bus_free(exits->board.mmio);
    g_string_free(exits->written, TRUE);
}

static VcpuVerdict
serve(Exits *exits, guint32 reason)
{
    exits->run.exit_reason = reason;
    return vcpu_exit(&exits->run, exits->board.pio, exits->board.mmio, exits->text);
}

static void
test_io(Exits *exits, gconstpointer data)
{
    guint8 *bytes = exits->room + 4096;

    exits->run.io.direction = KVM_EXIT_IO_OUT;
    exits->run.io.port = 0x82;
    exits->run.io.size = 2;
    exits->run.io.count = 3; /* rep outsw */
    exits->run.io.data_offset = 4096;
    memcpy(bytes, "\1\2\3\4\5\6", 6);
    g_assert_cmpint(serve(exits, KVM_EXIT_IO), ==, VCPU_GO_ON);
    g_assert_cmpstr(exits->written->str, ==, "2:201 2:403 2:605 ");
    exits->run.io.direction = KVM_EXIT_IO_IN;
    exits->run.io.size = 1;
    exits->next = 7;
    g_assert_cmpint(serve(exits, KVM_EXIT_IO), ==, VCPU_GO_ON);
    g_assert_cmpmem(bytes, 6, "\7\10\11\4\5\6", 6);
}

static void
test_mmio(Exits *exits, gconstpointer data)
{
    exits->run.mmio.phys_addr = 0xd0000010;
    exits->run.mmio.len = 4;
    exits->run.mmio.is_write = 1;
    memcpy(exits->run.mmio.data, "\1\2\3\4", 4);
    g_assert_cmpint(serve(exits, KVM_EXIT_MMIO), ==, VCPU_GO_ON);
    g_assert_cmpstr(exits->written->str, ==, "16:4030201 ");
    exits->run.mmio.is_write = 0;
    exits->next = 9;
    g_assert_cmpint(serve(exits, KVM_EXIT_MMIO), ==, VCPU_GO_ON);
    g_assert_cmpmem(exits->run.mmio.data, 4, "\11\0\0\0", 4);
    exits->run.mmio.len = 9;
    g_assert_cmpint(serve(exits, KVM_EXIT_MMIO), ==, VCPU_CRASH);
}

static void
test_ends(Exits *exits, gconstpointer data)
{
    g_assert_cmpint(serve(exits, KVM_EXIT_SHUTDOWN), ==, VCPU_RESET);
    g_assert_cmpstr(exits->text, ==, "triple fault");
    exits->run.system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
    g_assert_cmpint(serve(exits, KVM_EXIT_SYSTEM_EVENT), ==, VCPU_POWEROFF);
    exits->run.system_event.type = KVM_SYSTEM_EVENT_RESET;
    g_assert_cmpint(serve(exits, KVM_EXIT_SYSTEM_EVENT), ==, VCPU_RESET);
    exits->run.system_event.type = 99;
    g_assert_cmpint(serve(exits, KVM_EXIT_SYSTEM_EVENT), ==, VCPU_CRASH);
    exits->run.fail_entry.hardware_entry_failure_reason = 0x80000021;
    exits->run.fail_entry.cpu = 3;
    g_assert_cmpint(serve(exits, KVM_EXIT_FAIL_ENTRY), ==, VCPU_CRASH);
    g_assert_cmpstr(exits->text, ==,
                    "The CPU refused to enter the guest: hardware reason 0x80000021 on host CPU 3");
    exits->run.emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
    exits->run.emulation_failure.ndata = 4;
    exits->run.emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    exits->run.emulation_failure.insn_size = 3;
    memcpy(exits->run.emulation_failure.insn_bytes, "\x0f\x01\xd9", 3);
    g_assert_cmpint(serve(exits, KVM_EXIT_INTERNAL_ERROR), ==, VCPU_CRASH);
    g_assert_cmpstr(exits->text, ==,
                    "KVM internal error 1 (instruction not emulated); instruction 0f 01 d9");
}

/* No reason, known or not, may leave a vCPU to spin: but for four that are served, all end the run. */
static void
test_every_reason(Exits *exits, gconstpointer data)
{
    guint go_on = 0;

    for (guint reason = 0; reason < 200; reason++) {
        memset(&exits->run, 0, sizeof(exits->run));
        if (serve(exits, reason) == VCPU_GO_ON)
            go_on++;
        else
            g_assert_cmpstr(exits->text, !=, "");
    }
    g_assert_cmpuint(go_on, ==, 4); /* I/O, MMIO, interrupt window, signal */
    g_assert_cmpint(serve(exits, G_MAXUINT32), ==, VCPU_CRASH);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/config/defaults", test_defaults);
    g_test_add_func("/machine/config/everything", test_everything);
    g_test_add_func("/machine/config/policy", test_policy);
    g_test_add_func("/machine/capabilities", test_capabilities);
#define ADD(name, fn)                                                                              \
    g_test_add("/machine/exit/" name, Exits, NULL, exits_set_up, fn, exits_tear_down)
    ADD("io", test_io);
    ADD("mmio", test_mmio);
    ADD("ends", test_ends);
    ADD("every-reason", test_every_reason);
    return g_test_run();
}
