/* rtc: an MC146818 clock with its CMOS RAM; rtc-time.h has what its registers say about time.
 *
 * The clock is the host's, in UTC, plus what the guest has set it to. Nothing ticks: registers and
 * flags follow from the time when they are read, and an alarm is set only for an interrupt that the
 * guest has enabled. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/alarm.h"
#include "qemu-kvm-backend/hw/isa.h"
#include "qemu-kvm-backend/hw/rtc-time.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <inttypes.h>

#define KIB 1024ull
#define MIB (1024 * KIB)

#define PORT_INDEX 0x70u /* bit 7 masks NMIs, of which there are none */
#define RTC_IRQ    8

/* How much RAM there is, as PCs' firmware left it and EDK II looks for it; the lower byte comes first. */
enum {
    REG_BASE_MEMORY = 0x15,       /* KiB below 1 MiB */
    REG_EXTENDED_MEMORY = 0x17,   /* KiB above, up to 64 MiB ... */
    REG_EXTENDED_MEMORY_2 = 0x30, /* ... and once more */
    REG_MEMORY_ABOVE_16M = 0x34,  /* of 64 KiB, up to 4 GiB */
    REG_MEMORY_ABOVE_4G = 0x5b,   /* of 64 KiB, three bytes */
};

/* Events, by the same bit enabled in B and flagged in C */
#define EVENT_UPDATE   (1u << 4)
#define EVENT_ALARM    (1u << 5)
#define EVENT_PERIODIC (1u << 6)
#define EVENTS         (EVENT_UPDATE | EVENT_ALARM | EVENT_PERIODIC)
#define C_IRQF         (1u << 7)

#define RESET_CODE_S3 0xfeu /* SeaBIOS and EDK II: the machine wakes */

#define D_VALID (1u << 7) /* the battery is good */

#define OFFSET_MAX (100ll * 366 * 24 * 3600) /* seconds: what the century register still shows */

#define NEVER   INT64_MIN
#define NEWS_NS RTC_NS_PER_S /* between two events about it */

/* UIP announces an update 244 us ahead, and the update takes 1984 us; the registers change at the
 * end of it. A guest that sees UIP clear has 244 us, or longer, to read them all. */
#define UIP_NS ((244 + 1984) * 1000ll)

typedef struct Rtc {
    Device dev;
    Alarm *alarm;
    uint8_t index;
    uint8_t ram[RTC_REGISTERS]; /* time registers are valid only while the clock is held, and in @written_s */
    int64_t offset_ns;        /* the guest's time less the host's */
    int64_t seen_ns;          /* the guest's time up to which flags are known */
    int64_t written_s;        /* the second that the guest has set last: the date may not be whole yet */
    bool was_reset;           /* the divider was reset while the clock was held */
    bool keeps_up;            /* the guest gets every periodic interrupt, late ones too */
    unsigned late;            /* how many of them are still to come */
    bool irq;
    int64_t first_s; /* seconds that it was ahead of UTC at first */
    int64_t told_ns; /* the host's time when the driver was told last */
    bool has_news;   /* that the guest has set it since */
} Rtc;

/* Time */

static bool
is_held(const Rtc *rtc)
{
    return (rtc->ram[REG_B] & B_SET) || (rtc->ram[REG_A] & A_DIVIDER) != A_DIVIDER_RUN;
}

static int64_t
guest_ns(const Rtc *rtc)
{
    return (int64_t)alarm_now(rtc->alarm) + rtc->offset_ns;
}

#define SECONDS_MIN (-2208988800ll) /* the year 1900 ... */
#define SECONDS_MAX 7258118400ll    /* ... to 2199: those that the century register can say */

static bool
is_plausible(int64_t ns)
{
    return rtc_seconds(ns) >= SECONDS_MIN && rtc_seconds(ns) < SECONDS_MAX;
}

/* A saved state may have had an offset with which there is none, and be refused for that or something else. */
static bool
has_time(const Rtc *rtc)
{
    int64_t now;

    return !__builtin_add_overflow((int64_t)alarm_now(rtc->alarm), rtc->offset_ns, &now) &&
           is_plausible(now);
}

/* Events */

static int64_t
next_event(const Rtc *rtc, uint8_t event, int64_t ns)
{
    int64_t s;

    switch (event) {
    case EVENT_UPDATE:
        return (rtc_seconds(ns) + 1) * RTC_NS_PER_S;
    case EVENT_ALARM:
        s = rtc_next_alarm(rtc->ram, rtc_seconds(ns));
        return s == INT64_MAX ? s : s * RTC_NS_PER_S;
    default:
        return rtc_next_periodic(rtc->ram, ns);
    }
}

static void
update_irq(Rtc *rtc)
{
    Board *board = rtc->dev.board;
    bool irq = rtc->ram[REG_C] & rtc->ram[REG_B] & EVENTS;

    rtc->ram[REG_C] = (rtc->ram[REG_C] & EVENTS) | (irq ? C_IRQF : 0);
    if (irq == rtc->irq)
        return;
    rtc->irq = irq;
    board->set_irq(board, RTC_IRQ, irq);
}

/* Waits for the first event that would raise the line, which none can while it is high, and for the time to tell what
 * was set. */
static void
set_alarm(Rtc *rtc)
{
    int64_t news = rtc->has_news ? rtc->told_ns + NEWS_NS : INT64_MAX;
    int64_t first = INT64_MAX;

    for (uint8_t event = EVENT_UPDATE; event <= EVENT_PERIODIC && !rtc->irq; event <<= 1) {
        int64_t at = rtc->ram[REG_B] & event ? next_event(rtc, event, rtc->seen_ns) : INT64_MAX;

        first = at < first ? at : first;
    }
    first = is_held(rtc) || first == INT64_MAX ? INT64_MAX : first - rtc->offset_ns;
    first = news < first ? news : first;
    alarm_set(rtc->alarm, first == INT64_MAX ? 0 : first);
}

/* How far it is from UTC now, and from where it began. */
static void
put_offset(const Rtc *rtc, VmmMsg *msg)
{
    int64_t ahead = rtc_nearest_second(rtc->offset_ns);

    vmm_msg_put_i64(msg, "offset", ahead);
    vmm_msg_put_i64(msg, "change", ahead - rtc->first_s);
}

/* A guest that sets its clock does so register by register, and one may do nothing else: the last of it is told after
 * a while. A host clock that was set back ends the wait. */
static void
tell_news(Rtc *rtc)
{
    int64_t now = alarm_now(rtc->alarm);
    VmmMsg *event;

    if (!rtc->has_news || (now >= rtc->told_ns && now < rtc->told_ns + NEWS_NS))
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_RTC_CHANGE);
    put_offset(rtc, event);
    rtc->told_ns = now;
    rtc->has_news = false;
    rtc->dev.board->notify(rtc->dev.board, event);
}

/* Periods that have passed unseen when there was an event, or that came before the guest had read the last
 * one away. More than a second's worth of them is a pause, which no guest wants to be told of tick by tick
 * (Linux rtc_cmos and old kernels count them). */
static void
count_late(Rtc *rtc, int64_t now)
{
    int64_t ticks = rtc_period(rtc->ram), n;

    if (!rtc->keeps_up || !ticks || !(rtc->ram[REG_B] & EVENT_PERIODIC)) {
        rtc->late = 0;
        return;
    }
    n = rtc_periods(ticks, rtc->seen_ns, now);
    if (n > 0 && !(rtc->ram[REG_C] & EVENT_PERIODIC))
        n--; /* this one is on its way */
    if (n > 0)
        rtc->late += n < RTC_CRYSTAL_HZ / ticks ? n : RTC_CRYSTAL_HZ / ticks;
    if (rtc->late > RTC_CRYSTAL_HZ / ticks)
        rtc->late = RTC_CRYSTAL_HZ / ticks;
}

/* Flags what has happened since the last time. A host clock that was set back is no event. */
static void
catch_up(Rtc *rtc)
{
    Board *board = rtc->dev.board;
    uint8_t before = rtc->ram[REG_C];
    int64_t now = guest_ns(rtc);

    if (is_held(rtc))
        return;
    count_late(rtc, now);
    for (uint8_t event = EVENT_UPDATE; event <= EVENT_PERIODIC; event <<= 1) {
        if (next_event(rtc, event, rtc->seen_ns) <= now)
            rtc->ram[REG_C] |= event;
    }
    rtc->seen_ns = now;
    if (rtc->ram[REG_C] & ~before & rtc->ram[REG_B] & EVENT_ALARM)
        board->rtc_alarm(board);
    update_irq(rtc);
}

static void
alarm_rings(void *data)
{
    catch_up(data);
    tell_news(data);
    set_alarm(data);
}

/* Registers */

/* What is set register by register may be no date on the way, such as a 31st of February, and stays as it is until the
 * next update. */
static void
show_time(Rtc *rtc, int64_t now)
{
    if (rtc_seconds(now) != rtc->written_s)
        rtc_put_time(rtc->ram, rtc_seconds(now));
}

/* The clock goes on from what is in the registers, @now being the time that it would have had. */
static void
release(Rtc *rtc, int64_t now, int64_t fraction_ns)
{
    rtc->seen_ns = rtc_get_time(rtc->ram) * RTC_NS_PER_S + fraction_ns;
    rtc->offset_ns += rtc->seen_ns - now;
    rtc->has_news = true;
}

/* Writes a register that decides whether the clock is held. On release the fraction of the second
 * is what it would have been, unless the divider was reset: then the first update comes half a
 * second later (datasheet, "Divider"). */
static void
write_control(Rtc *rtc, unsigned reg, uint8_t value)
{
    int64_t now = guest_ns(rtc);
    bool was_held = is_held(rtc);

    if (!was_held) {
        show_time(rtc, now);
        rtc->was_reset = false;
    }
    rtc->ram[reg] = value;
    rtc->written_s = NEVER;
    if ((rtc->ram[REG_A] & A_DIVIDER_OFF) == A_DIVIDER_OFF)
        rtc->was_reset = true;
    if (was_held && !is_held(rtc))
        release(rtc, now, rtc->was_reset ? RTC_NS_PER_S / 2 : rtc_fraction(now));
}

static void
write_time(Rtc *rtc, unsigned reg, uint8_t value)
{
    int64_t now = guest_ns(rtc);
    bool held = is_held(rtc);

    if (!held)
        show_time(rtc, now);
    rtc->ram[reg] = value;
    if (held)
        return;
    release(rtc, now, rtc_fraction(now));
    rtc->written_s = rtc_seconds(rtc->seen_ns);
}

static void
write_register(Rtc *rtc, unsigned reg, uint8_t value)
{
    catch_up(rtc);
    if (rtc_is_time(reg))
        write_time(rtc, reg, value);
    else if (reg == REG_A)
        write_control(rtc, reg, value & ~A_UIP);
    else if (reg == REG_B) /* setting the time ends update interrupts (datasheet, "UIE") */
        write_control(rtc, reg, value & B_SET ? value & ~EVENT_UPDATE : value);
    else if (reg != REG_C && reg != REG_D)
        rtc->ram[reg] = value;
    update_irq(rtc);
    tell_news(rtc);
    set_alarm(rtc);
}

static uint8_t
read_c(Rtc *rtc)
{
    uint8_t value = rtc->ram[REG_C];

    rtc->ram[REG_C] = 0;
    update_irq(rtc);
    if (rtc->late > 0) { /* the line goes up again at once */
        rtc->late--;
        rtc->ram[REG_C] = EVENT_PERIODIC;
        update_irq(rtc);
    }
    set_alarm(rtc);
    return value;
}

static uint8_t
read_register(Rtc *rtc, unsigned reg)
{
    catch_up(rtc);
    if (rtc_is_time(reg) && !is_held(rtc))
        show_time(rtc, rtc->seen_ns);
    if (reg == REG_A && !is_held(rtc) && rtc_fraction(rtc->seen_ns) >= RTC_NS_PER_S - UIP_NS)
        return rtc->ram[REG_A] | A_UIP;
    if (reg == REG_C)
        return read_c(rtc);
    return reg == REG_D ? D_VALID : rtc->ram[reg];
}

static uint8_t
port_read(Device *dev, unsigned port)
{
    return port == 0 ? 0xff : read_register((Rtc *)dev, ((Rtc *)dev)->index); /* the index reads as nobody home */
}

static void
port_write(Device *dev, unsigned port, uint8_t value)
{
    Rtc *rtc = (Rtc *)dev;

    if (port == 0)
        rtc->index = value % RTC_REGISTERS;
    else
        write_register(rtc, rtc->index, value);
}

static uint64_t
ports_read(Device *dev, uint64_t offset, unsigned size)
{
    return isa_read(dev, offset, size, port_read);
}

static void
ports_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    isa_write(dev, offset, size, value, port_write);
}

static const BusOps ports_ops = { ports_read, ports_write, false };

static void
put_size(Rtc *rtc, unsigned reg, unsigned n_bytes, uint64_t value)
{
    uint64_t max = (1ull << (8 * n_bytes)) - 1;

    if (value > max)
        value = max;
    for (unsigned i = 0; i < n_bytes; i++)
        rtc->ram[reg + i] = value >> (8 * i);
}

static void
put_memory_sizes(Rtc *rtc, const Memory *memory)
{
    uint64_t low = memory_low_end(memory), high = memory_size(memory) - low;
    uint64_t extended = low > MIB ? (low - MIB) / KIB : 0;

    put_size(rtc, REG_BASE_MEMORY, 2, 640);
    put_size(rtc, REG_EXTENDED_MEMORY, 2, extended);
    put_size(rtc, REG_EXTENDED_MEMORY_2, 2, extended);
    put_size(rtc, REG_MEMORY_ABOVE_16M, 2, low > 16 * MIB ? (low - 16 * MIB) / (64 * KIB) : 0);
    put_size(rtc, REG_MEMORY_ABOVE_4G, 3, high / (64 * KIB));
}

static bool
rtc_create(Device *dev, VmmMsg *params, VmmError *err)
{
    Rtc *rtc = (Rtc *)dev;
    int64_t ahead = 0;

    if (vmm_msg_get_i64(params, "rtc-offset", &ahead) &&
        (ahead < -OFFSET_MAX || ahead > OFFSET_MAX))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "rtc-offset: %" PRIi64 " s are more than a century", ahead);
    rtc->first_s = ahead;
    rtc->written_s = NEVER;
    rtc->offset_ns = ahead * RTC_NS_PER_S;
    vmm_msg_get_bool(params, "rtc-catchup", &rtc->keeps_up);
    rtc->alarm = alarm_new(dev->board->loop, CLOCK_REALTIME, &dev->lock, alarm_rings, rtc, err);
    if (!rtc->alarm)
        return false;
    rtc->ram[REG_A] = A_DIVIDER_RUN | A_RATE_1024HZ;
    rtc->ram[REG_B] = B_24H;
    return device_claim(dev, dev->board->pio, PORT_INDEX, 2, &ports_ops, err);
}

/* The battery keeps time and RAM; control registers become what firmware makes them. */
static void
rtc_reset(Device *dev)
{
    Rtc *rtc = (Rtc *)dev;

    if (!has_time(rtc))
        rtc->offset_ns = 0;
    write_control(rtc, REG_B, rtc->ram[REG_B] & ~(B_SET | EVENTS));
    write_control(rtc, REG_A, A_DIVIDER_RUN | A_RATE_1024HZ);
    rtc->ram[REG_B] = B_24H;
    rtc->ram[REG_C] = 0;
    rtc->written_s = NEVER;
    rtc->late = 0;
    rtc->index = 0;
    rtc->seen_ns = guest_ns(rtc);
    rtc->ram[REG_SECOND_ALARM] = 0;
    rtc->ram[REG_MINUTE_ALARM] = 0;
    rtc->ram[REG_HOUR_ALARM] = 0;
    if (dev->board->memory)
        put_memory_sizes(rtc, dev->board->memory);
    update_irq(rtc);
    tell_news(rtc);
    set_alarm(rtc);
}

static bool
rtc_tell(Device *dev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    pthread_mutex_lock(&dev->lock);
    put_offset((Rtc *)dev, reply);
    pthread_mutex_unlock(&dev->lock);
    return true;
}

/* Firmware reads, and clears, what it is to do. */
static void
rtc_wake(Device *dev)
{
    rtc_reset(dev);
    if (dev->board->fw_cfg)
        ((Rtc *)dev)->ram[REG_RESET_CODE] = RESET_CODE_S3;
}

static void
rtc_describe(Device *dev, Aml *aml)
{
    aml_open_device(aml, "RTC0");
    aml_name_eisaid(aml, "_HID", "PNP0B00");
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, PORT_INDEX, 2);
    aml_resource_irq(aml, RTC_IRQ);
    aml_close(aml);
    aml_close(aml);
}

/* The clock has gone on meanwhile, as one with a battery does, and its alarm may have gone off. */
static bool
rtc_loaded(void *object, VmmError *err)
{
    Rtc *rtc = object;

    if (!has_time(rtc) || !is_plausible(rtc->seen_ns))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved time of the real-time clock is in no year that it can show");
    catch_up(rtc);
    update_irq(rtc);
    set_alarm(rtc);
    return true;
}

static const StateField rtc_fields[] = {
    STATE_NUMBER_MAX(Rtc, index, RTC_REGISTERS - 1),
    STATE_NUMBERS(Rtc, ram),
    STATE_NUMBER(Rtc, offset_ns),
    STATE_NUMBER(Rtc, seen_ns),
    STATE_NUMBER(Rtc, was_reset),
    STATE_END,
};

static const StateTable rtc_state = { .version = 1, .fields = rtc_fields, .loaded = rtc_loaded };

static void
rtc_destroy(Device *dev)
{
    alarm_free(((Rtc *)dev)->alarm);
}

const DeviceClass rtc_class = {
    .name = VMM_DEVICE_RTC,
    .size = sizeof(Rtc),
    .create = rtc_create,
    .reset = rtc_reset,
    .wake = rtc_wake,
    .describe = rtc_describe,
    .tell = rtc_tell,
    .state = &rtc_state,
    .destroy = rtc_destroy,
};
