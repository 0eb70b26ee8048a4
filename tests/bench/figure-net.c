/* A network card whose other end is a tap in a network namespace: the guest sends to nobody, or receives
 * what a socket on the host sends, polls, and does nothing else. Small frames tell what a packet
 * costs, large ones what bytes cost. What it costs the host is told for each packet, too: the CPU time
 * of all threads but the vCPU's, which other processes disturb less. */
#include "tests/bench/figures.h"
#include "tests/bench/process.h"
#include "tests/bench/tap.h"
#include "tests/guest/vmm-harness.h"

#define SMALL 60
#define LARGE 1514

typedef struct Load {
    guint frames, size;
    gboolean receive;
    double unit; /* of what the figure tells, in frames */
} Load;

/* What passes between the guest's marks. */
typedef struct Spent {
    double seconds, cpu_ns;
} Spent;

static Spent
between_marks(Guest *guest)
{
    gint64 begin = guest_wait_text(guest, "begin\n");
    gint64 cpu_ns = process_devices_cpu_ns(guest->pid);
    gint64 end = guest_wait_text(guest, "end\n");

    return (Spent){ (double)(end - begin) / G_USEC_PER_SEC,
                    process_devices_cpu_ns(guest->pid) - cpu_ns };
}

/* The host sends from before the beginning to after the end. */
static Spent
receive(Guest *guest, const GuestSpec *spec, gsize size)
{
    TapSender sender = { .name = spec->tap, .size = size };
    GThread *thread = g_thread_new("sender", tap_send, &sender);
    Spent spent = between_marks(guest);

    g_atomic_int_set(&sender.stop, 1);
    g_thread_join(thread);
    return spent;
}

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    const Load *load = what;
    g_autofree char *kernel = vmm_built("tests/guest/ring3/ring3.elf");
    g_autofree char *cmdline = g_strdup_printf(
        "%s %u %u", load->receive ? "net-receive" : "net-send", load->frames, load->size);
    const GuestSpec spec = {
        .kernel = kernel, .cmdline = cmdline, .memory_mib = 128, .tap = tap_make()
    };
    g_autoptr(Guest) guest = guest_start(contender, &spec);
    Spent spent = load->receive ? receive(guest, &spec, load->size) : between_marks(guest);

    values[0] = load->frames / load->unit / spent.seconds;
    values[1] = spent.cpu_ns / load->frames;
}

#define LOAD(figure, figure_unit, ...)                                                             \
    {                                                                                              \
        .quantities = { { figure, figure_unit, TRUE }, { figure "-cpu", "ns/packet" } },           \
        .contenders = { &contender_vmctl, &contender_qemu_q35 }, .run = measure,                   \
        .what = &(const Load){ __VA_ARGS__ },                                                      \
    }
#define PACKETS(figure, ...) LOAD(figure, "packets/s", __VA_ARGS__, 1)
#define BYTES(figure, ...)   LOAD(figure, "MB/s", __VA_ARGS__, 1e6 / LARGE)

const Experiment net_send_packets = PACKETS("net-send-packets", 200000, SMALL, FALSE);
const Experiment net_send_bytes = BYTES("net-send-bytes", 100000, LARGE, FALSE);
const Experiment net_receive_packets = PACKETS("net-receive-packets", 100000, SMALL, TRUE);
const Experiment net_receive_bytes = BYTES("net-receive-bytes", 100000, LARGE, TRUE);
