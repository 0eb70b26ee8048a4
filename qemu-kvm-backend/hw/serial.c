/* serial: an NS16550A on one of the PC's four serial ports (National Semiconductor PC16550D
 * datasheet; "8.x" below are its sections).
 *
 * What the guest sends leaves at once, so the transmitter is always empty; only its interrupt has
 * state. Break and line errors do not exist on this line, an overrun only in loopback mode, for
 * the outside waits until there is room. */
#include "qemu-kvm-backend/chardev.h"
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/alarm.h"
#include "qemu-kvm-backend/hw/isa.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <inttypes.h>

#define N_PORTS   8
#define FIFO_SIZE 16

/* Registers by port; the first two are the divisor's while LCR_DLAB is set. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RECEIVED (1u << 0)
#define IER_THRE     (1u << 1)
#define IER_LINE     (1u << 2)
#define IER_MODEM    (1u << 3)
#define IER_MASK     0x0fu

/* Interrupt identification, 8.6.1, highest priority first */
#define IIR_LINE     0x06u
#define IIR_RECEIVED 0x04u
#define IIR_TIMEOUT  0x0cu
#define IIR_THRE     0x02u
#define IIR_MODEM    0x00u
#define IIR_NONE     0x01u
#define IIR_FIFO     0xc0u

#define FCR_ENABLE        (1u << 0)
#define FCR_CLEAR_RECEIVE (1u << 1)
#define FCR_TRIGGER_SHIFT 6

#define LCR_LENGTH 0x03u /* data bits, less 5 */
#define LCR_STOP   (1u << 2)
#define LCR_PARITY (1u << 3)
#define LCR_DLAB   (1u << 7)

#define MCR_DTR  (1u << 0)
#define MCR_RTS  (1u << 1)
#define MCR_OUT1 (1u << 2)
#define MCR_OUT2 (1u << 3) /* on a PC it connects the interrupt line */
#define MCR_LOOP (1u << 4)
#define MCR_MASK 0x1fu

#define LSR_DATA    (1u << 0)
#define LSR_OVERRUN (1u << 1)
#define LSR_THRE    (1u << 5)
#define LSR_TEMT    (1u << 6)

#define MSR_TERI   (1u << 2) /* RI has gone off */
#define MSR_DELTAS 0x0fu
#define MSR_CTS    (1u << 4)
#define MSR_DSR    (1u << 5)
#define MSR_RI     (1u << 6)
#define MSR_DCD    (1u << 7)

#define DIVISOR_9600   12
#define CLOCK_HZ       115200u      /* of the baud rate with divisor 1 */
#define TIMEOUT_MAX_NS 100000000ull /* a slower line is not imitated any further */

typedef struct Serial {
    Device dev;
    unsigned index; /* 0: COM1 */
    Chardev *chardev;
    Alarm *alarm; /* for the character timeout */
    uint8_t fifo[FIFO_SIZE];
    unsigned head; /* of the oldest character */
    unsigned used;
    bool refused; /* the outside was told that there is no room */
    uint8_t ier;
    uint8_t fcr; /* 0 where the FIFOs are off */
    uint8_t lcr;
    uint8_t mcr;
    uint8_t msr;
    uint8_t scr;
    uint16_t divisor;
    bool overrun;
    bool thre; /* the transmitter's interrupt is due */
    bool timed_out;
    bool alarm_set;
    uint64_t touched_ns; /* when a character last came or was read */
    bool line;
} Serial;

static const struct {
    const char *name;
    uint16_t base;
    uint8_t irq;
} ports[] = {
    { "COM1", 0x3f8, 4 },
    { "COM2", 0x2f8, 3 },
    { "COM3", 0x3e8, 4 },
    { "COM4", 0x2e8, 3 },
};

/* Interrupts, 8.6 */

static bool
has_fifo(const Serial *serial)
{
    return serial->fcr & FCR_ENABLE;
}

static unsigned
trigger_level(const Serial *serial)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return has_fifo(serial) ? levels[serial->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

static uint8_t
interrupt_id(const Serial *serial)
{
    if ((serial->ier & IER_LINE) && serial->overrun)
        return IIR_LINE;
    if ((serial->ier & IER_RECEIVED) && serial->used >= trigger_level(serial))
        return IIR_RECEIVED;
    if ((serial->ier & IER_RECEIVED) && serial->timed_out)
        return IIR_TIMEOUT;
    if ((serial->ier & IER_THRE) && serial->thre)
        return IIR_THRE;
    if ((serial->ier & IER_MODEM) && (serial->msr & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

/* In loopback mode the OUT2 pin is off whatever the bit says. COM1 and COM3 share a line, COM2 and
 * COM4 too: being edge-triggered, it keeps what one has raised though the other lowers it. */
static void
update_line(Serial *serial)
{
    Board *board = serial->dev.board;
    bool connected = (serial->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    bool line = connected && interrupt_id(serial) != IIR_NONE;

    if (line == serial->line)
        return;
    serial->line = line;
    board->set_irq(board, ports[serial->index].irq, line);
}

/* The receiver */

/* Four characters' time, 8.4 */
static uint64_t
timeout_ns(const Serial *serial)
{
    unsigned bits = 1 + 5 + (serial->lcr & LCR_LENGTH) + (serial->lcr & LCR_PARITY ? 1 : 0) +
                    (serial->lcr & LCR_STOP ? 2 : 1);
    uint64_t ns = 4ull * bits * serial->divisor * 1000000000 / CLOCK_HZ;

    return ns < TIMEOUT_MAX_NS ? ns : TIMEOUT_MAX_NS;
}

/* Counts the timeout from now where characters are left that reach no trigger level. A running
 * alarm is left alone: it looks at @touched_ns when it rings. */
static void
restart_timeout(Serial *serial)
{
    if (!has_fifo(serial) || serial->used == 0)
        return;
    serial->touched_ns = alarm_now(serial->alarm);
    if (serial->alarm_set)
        return;
    serial->alarm_set = true;
    alarm_set(serial->alarm, serial->touched_ns + timeout_ns(serial));
}

static void
alarm_rings(void *data)
{
    Serial *serial = data;
    uint64_t due_ns = serial->touched_ns + timeout_ns(serial);

    serial->alarm_set = has_fifo(serial) && serial->used > 0 && alarm_now(serial->alarm) < due_ns;
    if (serial->alarm_set) {
        alarm_set(serial->alarm, due_ns);
        return;
    }
    serial->timed_out = has_fifo(serial) && serial->used > 0;
    update_line(serial);
}

static void
clear_receiver(Serial *serial)
{
    serial->head = 0;
    serial->used = 0;
    serial->timed_out = false;
}

static void
push(Serial *serial, uint8_t byte)
{
    unsigned size = has_fifo(serial) ? FIFO_SIZE : 1;

    if (serial->used == size) {
        serial->overrun = true;
        if (has_fifo(serial)) /* it keeps what it has; the single register takes the new one, 8.4 */
            return;
        serial->used = 0;
    }
    serial->fifo[(serial->head + serial->used++) % FIFO_SIZE] = byte;
}

static size_t
room(void *data)
{
    Serial *serial = data;
    size_t n = 0;

    if (!(serial->mcr & MCR_LOOP))
        n = has_fifo(serial) ? FIFO_SIZE - serial->used : serial->used == 0;
    if (n == 0)
        serial->refused = true;
    return n;
}

static void
receive(void *data, const uint8_t *bytes, size_t size)
{
    Serial *serial = data;

    for (size_t i = 0; i < size; i++)
        push(serial, bytes[i]);
    restart_timeout(serial);
    update_line(serial);
}

/* Asks for more only when all was read, so that input comes in loads of a whole FIFO. */
static void
accept_again(Serial *serial)
{
    if (!serial->refused || serial->used > 0 || (serial->mcr & MCR_LOOP))
        return;
    serial->refused = false;
    chardev_accept(serial->chardev);
}

/* Registers */

static uint8_t
read_data(Serial *serial)
{
    uint8_t byte = serial->fifo[serial->head];

    if (serial->used == 0)
        return has_fifo(serial) ? 0 : byte;
    serial->used--;
    if (has_fifo(serial))
        serial->head = (serial->head + 1) % FIFO_SIZE;
    serial->timed_out = false;
    restart_timeout(serial);
    accept_again(serial);
    update_line(serial);
    return byte;
}

/* The write takes the transmitter's interrupt back, and as soon as the character has left there is
 * a new one. With FIFOs that is when the last of a burst has left: one interrupt for the burst. */
static void
write_data(Serial *serial, uint8_t byte)
{
    if (serial->mcr & MCR_LOOP) {
        push(serial, byte);
        restart_timeout(serial);
    } else {
        chardev_write(serial->chardev, &byte, 1);
    }
    if (!has_fifo(serial)) {
        serial->thre = false;
        update_line(serial);
    }
    serial->thre = true;
    update_line(serial);
}

/* Enabling the interrupt of a transmitter that is empty raises it: drivers start sending so. */
static void
write_ier(Serial *serial, uint8_t value)
{
    if (!(value & IER_THRE))
        serial->thre = false;
    else if (!(serial->ier & IER_THRE))
        serial->thre = true;
    serial->ier = value & IER_MASK;
    update_line(serial);
}

static uint8_t
read_iir(Serial *serial)
{
    uint8_t id = interrupt_id(serial);

    if (id == IIR_THRE) {
        serial->thre = false;
        update_line(serial);
    }
    return id | (has_fifo(serial) ? IIR_FIFO : 0);
}

static void
write_fcr(Serial *serial, uint8_t value)
{
    bool switched = (value ^ serial->fcr) & FCR_ENABLE;

    serial->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | 3u << FCR_TRIGGER_SHIFT) : 0;
    if (switched || (value & FCR_ENABLE && value & FCR_CLEAR_RECEIVE))
        clear_receiver(serial);
    accept_again(serial);
    update_line(serial);
}

/* Looped back, each output is an input: RTS is CTS, DTR is DSR, OUT1 is RI and OUT2 is DCD, 8.7.
 * Else there is somebody at the other end. */
static uint8_t
modem_inputs(const Serial *serial)
{
    uint8_t mcr = serial->mcr;

    if (!(mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
           (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void
write_mcr(Serial *serial, uint8_t value)
{
    uint8_t old = serial->msr, now, deltas;

    serial->mcr = value & MCR_MASK;
    now = modem_inputs(serial);
    deltas = (old ^ now) >> 4;
    if (!(old & MSR_RI)) /* only its going off counts, 8.8 */
        deltas &= ~MSR_TERI;
    serial->msr = now | (old & MSR_DELTAS) | deltas;
    accept_again(serial);
    update_line(serial);
}

static uint8_t
read_lsr(Serial *serial)
{
    uint8_t value = LSR_THRE | LSR_TEMT;

    value |= serial->used > 0 ? LSR_DATA : 0;
    value |= serial->overrun ? LSR_OVERRUN : 0;
    serial->overrun = false;
    update_line(serial);
    return value;
}

static uint8_t
read_msr(Serial *serial)
{
    uint8_t value = serial->msr;

    serial->msr &= ~MSR_DELTAS;
    update_line(serial);
    return value;
}

static uint8_t
read_port(Device *dev, unsigned port)
{
    Serial *serial = (Serial *)dev;
    bool dlab = serial->lcr & LCR_DLAB;

    switch (port) {
    case REG_DATA:
        return dlab ? serial->divisor & 0xff : read_data(serial);
    case REG_IER:
        return dlab ? serial->divisor >> 8 : serial->ier;
    case REG_IIR_FCR:
        return read_iir(serial);
    case REG_LCR:
        return serial->lcr;
    case REG_MCR:
        return serial->mcr;
    case REG_LSR:
        return read_lsr(serial);
    case REG_MSR:
        return read_msr(serial);
    default:
        return serial->scr;
    }
}

static void
write_divisor(Serial *serial, unsigned shift, uint8_t value)
{
    serial->divisor = (serial->divisor & ~(0xff << shift)) | value << shift;
}

static void
write_port(Device *dev, unsigned port, uint8_t value)
{
    Serial *serial = (Serial *)dev;
    bool dlab = serial->lcr & LCR_DLAB;

    switch (port) {
    case REG_DATA:
        dlab ? write_divisor(serial, 0, value) : write_data(serial, value);
        break;
    case REG_IER:
        dlab ? write_divisor(serial, 8, value) : write_ier(serial, value);
        break;
    case REG_IIR_FCR:
        write_fcr(serial, value);
        break;
    case REG_LCR:
        serial->lcr = value;
        break;
    case REG_MCR:
        write_mcr(serial, value);
        break;
    case REG_SCR:
        serial->scr = value;
        break;
    default: /* LSR and MSR are only read */
        break;
    }
}

static uint64_t
serial_read(Device *dev, uint64_t offset, unsigned size)
{
    return isa_read(dev, offset, size, read_port);
}

static void
serial_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    isa_write(dev, offset, size, value, write_port);
}

static const BusOps serial_ops = { serial_read, serial_write };

/* Master reset, 8.1; the divisor, which it would leave alone, as firmware sets it. */
static void
serial_reset(Device *dev)
{
    Serial *serial = (Serial *)dev;

    clear_receiver(serial);
    serial->ier = 0;
    serial->fcr = 0;
    serial->lcr = 0;
    serial->mcr = 0;
    serial->msr = modem_inputs(serial);
    serial->scr = 0;
    serial->divisor = DIVISOR_9600;
    serial->overrun = false;
    serial->thre = false;
    update_line(serial);
    accept_again(serial);
}

static bool
serial_create(Device *dev, VmmMsg *params, VmmError *err)
{
    Serial *serial = (Serial *)dev;
    ChardevOwner owner = {
        .name = dev->id, .lock = &dev->lock, .room = room, .receive = receive, .data = serial
    };
    uint64_t index;

    if (!vmm_msg_get_u64(params, "port", &index))
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has no port", dev->id);
    if (index >= sizeof(ports) / sizeof(ports[0]))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "There is no serial port %" PRIu64 " for device '%s'", index, dev->id);
    serial->index = index;
    serial->divisor = DIVISOR_9600;
    serial->alarm =
        alarm_new(dev->board->loop, CLOCK_MONOTONIC, &dev->lock, alarm_rings, serial, err);
    if (!serial->alarm)
        return false;
    serial->chardev = chardev_new(dev->board->loop, params, &owner, err);
    return serial->chardev &&
           device_claim(dev, dev->board->pio, ports[index].base, N_PORTS, &serial_ops, err);
}

static void
serial_describe(Device *dev, Aml *aml)
{
    const Serial *serial = (const Serial *)dev;

    aml_open_device(aml, ports[serial->index].name);
    aml_name_eisaid(aml, "_HID", "PNP0501");
    aml_name_integer(aml, "_UID", serial->index + 1);
    aml_name_string(aml, "_DDN", ports[serial->index].name);
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, ports[serial->index].base, N_PORTS);
    aml_resource_irq(aml, ports[serial->index].irq);
    aml_close(aml);
    aml_close(aml);
}

/* The character timeout starts anew. Whoever is at the other end is somebody new, who has been told nothing
 * of room yet. */
static bool
serial_loaded(void *object, VmmError *err)
{
    Serial *serial = object;

    serial->refused = true;
    accept_again(serial);
    if (!serial->timed_out)
        restart_timeout(serial);
    update_line(serial);
    return true;
}

static const StateField serial_fields[] = {
    STATE_NUMBERS(Serial, fifo),
    STATE_NUMBER_MAX(Serial, head, FIFO_SIZE - 1),
    STATE_NUMBER_MAX(Serial, used, FIFO_SIZE),
    STATE_NUMBER_MAX(Serial, ier, IER_MASK),
    STATE_NUMBER(Serial, fcr),
    STATE_NUMBER(Serial, lcr),
    STATE_NUMBER_MAX(Serial, mcr, MCR_MASK),
    STATE_NUMBER(Serial, msr),
    STATE_NUMBER(Serial, scr),
    STATE_NUMBER(Serial, divisor),
    STATE_NUMBER(Serial, overrun),
    STATE_NUMBER(Serial, thre),
    STATE_NUMBER(Serial, timed_out),
    STATE_END,
};

static const StateTable serial_state = { .version = 1,
                                         .fields = serial_fields,
                                         .loaded = serial_loaded };

static void
serial_destroy(Device *dev)
{
    Serial *serial = (Serial *)dev;

    chardev_free(serial->chardev);
    alarm_free(serial->alarm);
}

const DeviceClass serial_class = {
    .name = VMM_CLASS_SERIAL,
    .size = sizeof(Serial),
    .create = serial_create,
    .reset = serial_reset,
    .describe = serial_describe,
    .state = &serial_state,
    .destroy = serial_destroy,
};
