/* debug-console: the port that firmware built for virtual machines writes its messages to. They go to the
 * log, as lines, as often as log_guest() allows. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/log.h"

#define PORT    0x402u
#define PRESENT 0xe9u /* what firmware reads where there is such a port */

typedef struct DebugConsole {
    Device dev;
    char line[160];
    unsigned n;
} DebugConsole;

static void
end_line(DebugConsole *console)
{
    if (console->n > 0)
        log_guest("firmware: %.*s", (int)console->n, console->line);
    console->n = 0;
}

static uint64_t
console_read(Device *dev, uint64_t offset, unsigned size)
{
    return PRESENT;
}

/* Whatever a log is looked at with, it gets printable ASCII. */
static void
console_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    DebugConsole *console = (DebugConsole *)dev;
    uint8_t c = value;

    if (c == '\n') {
        end_line(console);
        return;
    }
    if (c == '\r')
        return;
    console->line[console->n++] = c >= ' ' && c < 0x7f ? c : '?';
    if (console->n == sizeof(console->line))
        end_line(console);
}

static const BusOps console_ops = { console_read, console_write, false };

static bool
console_create(Device *dev, VmmMsg *params, VmmError *err)
{
    return device_claim(dev, dev->board->pio, PORT, 1, &console_ops, err);
}

static void
console_reset(Device *dev)
{
    end_line((DebugConsole *)dev);
}

const DeviceClass debug_console_class = {
    .name = "debug-console",
    .size = sizeof(DebugConsole),
    .create = console_create,
    .reset = console_reset,
    .stateless = "what it has of a line is for the log of the process that was",
};
