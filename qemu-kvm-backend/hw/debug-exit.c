/* debug-exit: a port that ends the run with the value written to it, for test payloads. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>

#define N_PORTS 4

static uint64_t
debug_exit_read(Device *dev, uint64_t offset, unsigned size)
{
    return 0;
}

static void
debug_exit_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned code = size < 4 ? value & ((1u << (8 * size)) - 1) : (unsigned)value;

    dev->board->request(dev->board, BOARD_EXIT, code, "The guest wrote to the debug-exit port");
}

static const BusOps debug_exit_ops = { debug_exit_read, debug_exit_write };

static bool
debug_exit_create(Device *dev, VmmMsg *params, VmmError *err)
{
    uint64_t port;

    if (!vmm_msg_get_u64(params, "port", &port))
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has no port", dev->id);
    if (port > 0x10000 - N_PORTS)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Port 0x%" PRIx64 " of device '%s' is out of range", port, dev->id);
    return device_claim(dev, dev->board->pio, port, N_PORTS, &debug_exit_ops, err);
}

const DeviceClass debug_exit_class = {
    .name = VMM_CLASS_DEBUG_EXIT,
    .size = sizeof(Device),
    .create = debug_exit_create,
    .stateless = "it keeps nothing",
};
