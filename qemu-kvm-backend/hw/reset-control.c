/* reset-control: the two ports of a PC chipset that reset the machine without a keyboard
 * controller: the reset control register (ICH9 datasheet, 13.7.5), which the FADT names, and system
 * control port A with its fast reset. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/layout.h"

#define RST_CNT_SYS_RST  (1u << 1) /* the whole system rather than the CPU: here the same */
#define RST_CNT_RST_CPU  (1u << 2) /* its rising edge resets */
#define RST_CNT_FULL_RST (1u << 3)

#define PORT_A          0x92u
#define PORT_A_INIT_NOW (1u << 0) /* its rising edge resets */
#define PORT_A_A20      (1u << 1) /* kept for the reader; address line 20 is never masked */

typedef struct ResetControl {
    Device dev;
    uint8_t rst_cnt;
    uint8_t port_a;
} ResetControl;

static uint64_t
rst_cnt_read(Device *dev, uint64_t offset, unsigned size)
{
    return ((ResetControl *)dev)->rst_cnt;
}

static void
rst_cnt_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    ResetControl *control = (ResetControl *)dev;
    bool rises = value & ~control->rst_cnt & RST_CNT_RST_CPU;

    control->rst_cnt = value & (RST_CNT_SYS_RST | RST_CNT_RST_CPU | RST_CNT_FULL_RST);
    if (rises)
        dev->board->request(dev->board, BOARD_RESET, 0, "The guest wrote to the reset register");
}

static uint64_t
port_a_read(Device *dev, uint64_t offset, unsigned size)
{
    return ((ResetControl *)dev)->port_a;
}

static void
port_a_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    ResetControl *control = (ResetControl *)dev;
    bool rises = value & ~control->port_a & PORT_A_INIT_NOW;

    control->port_a = value & (PORT_A_INIT_NOW | PORT_A_A20);
    if (rises)
        dev->board->request(dev->board, BOARD_RESET, 0,
                            "The guest used the fast reset of port 92h");
}

static const BusOps rst_cnt_ops = { rst_cnt_read, rst_cnt_write };
static const BusOps port_a_ops = { port_a_read, port_a_write };

static bool
reset_control_create(Device *dev, VmmMsg *params, VmmError *err)
{
    return device_claim(dev, dev->board->pio, LAYOUT_RESET_PORT, 1, &rst_cnt_ops, err) &&
           device_claim(dev, dev->board->pio, PORT_A, 1, &port_a_ops, err);
}

static void
reset_control_reset(Device *dev)
{
    ResetControl *control = (ResetControl *)dev;

    control->rst_cnt = 0;
    control->port_a = PORT_A_A20;
}

static const StateField reset_control_fields[] = {
    STATE_NUMBER(ResetControl, rst_cnt),
    STATE_NUMBER(ResetControl, port_a),
    STATE_END,
};

static const StateTable reset_control_state = { .version = 1, .fields = reset_control_fields };

const DeviceClass reset_control_class = {
    .name = "reset-control",
    .size = sizeof(ResetControl),
    .create = reset_control_create,
    .reset = reset_control_reset,
    .state = &reset_control_state,
};
