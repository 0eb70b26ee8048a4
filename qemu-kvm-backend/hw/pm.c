/* pm: ACPI's fixed hardware at ICH9's place: power management events, their control, and the timer
 * (ACPI 6.4, 4.8.3 and 4.8.1.4). It is also the power button. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/alarm.h"
#include "qemu-kvm-backend/hw/isa.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/layout.h"

/* Registers, as offsets from LAYOUT_PM_BASE */
#define PM1_STATUS  0
#define PM1_ENABLE  2
#define PM1_CONTROL 4
#define PM_TIMER    8
#define N_PORTS     12

/* PM1 status and enable, by bit */
#define PM1_TIMER        (1u << 0)
#define PM1_GLOBAL       (1u << 5)
#define PM1_POWER_BUTTON (1u << 8)
#define PM1_SLEEP_BUTTON (1u << 9)
#define PM1_RTC          (1u << 10)
#define PM1_WAKE         (1u << 15) /* status alone: the machine has slept */
#define PM1_EVENTS       (PM1_TIMER | PM1_GLOBAL | PM1_POWER_BUTTON | PM1_SLEEP_BUTTON | PM1_RTC)

/* PM1 control */
#define PM1_SCI_EN                                                                                 \
    (1u << 0) /* always: there is no legacy mode, nor an SMI command to leave it by */
#define PM1_BM_RLD     (1u << 1)
#define PM1_SLP_TYP(n) ((n) << 10)
#define PM1_SLP_TYPS   PM1_SLP_TYP(7u)
#define PM1_SLP_EN     (1u << 13) /* reads 0 */

#define TIMER_HZ   3579545ull
#define TIMER_BITS 24 /* what the FADT says; the status follows the highest bit */
#define NS_PER_S   1000000000ull

typedef struct Pm {
    Device dev;
    Alarm *alarm;
    uint16_t status;
    uint16_t enable;
    uint16_t control;
    uint64_t origin_ns; /* when the timer was 0 */
    uint64_t halves;    /* how often its highest bit had toggled when last looked at */
    bool sci;
    bool to_mem, to_disk; /* it may sleep so */
    bool asleep;          /* since the machine said so; it wakes for what follows */
    uint16_t woken_by;    /* a bit of the status; 0: somebody outside */
} Pm;

/* The timer. It goes on while the guest is paused, because the TSC does so too and guests compare
 * the two. */

static uint64_t
timer_ticks(const Pm *pm)
{
    uint64_t ns = alarm_now(pm->alarm) - pm->origin_ns;

    return ns / NS_PER_S * TIMER_HZ + ns % NS_PER_S * TIMER_HZ / NS_PER_S;
}

static uint64_t
ticks_to_ns(uint64_t ticks)
{
    return ticks / TIMER_HZ * NS_PER_S + (ticks % TIMER_HZ * NS_PER_S + TIMER_HZ - 1) / TIMER_HZ;
}

/* Catches up with the timer; an alarm is needed only where its event would interrupt. */
static void
update(Pm *pm)
{
    Board *board = pm->dev.board;
    uint64_t halves = timer_ticks(pm) >> (TIMER_BITS - 1);
    bool sci;

    if (halves != pm->halves)
        pm->status |= PM1_TIMER;
    pm->halves = halves;
    if ((pm->enable & PM1_TIMER) && !(pm->status & PM1_TIMER))
        alarm_set(pm->alarm, pm->origin_ns + ticks_to_ns((halves + 1) << (TIMER_BITS - 1)));
    else
        alarm_set(pm->alarm, 0);
    sci = pm->status & pm->enable & PM1_EVENTS;
    if (sci == pm->sci)
        return;
    pm->sci = sci;
    board->set_irq(board, LAYOUT_SCI, sci);
}

static void
alarm_rings(void *data)
{
    update(data);
}

/* Entering a sleeping state, 4.8.3.2.1. */
static void
go_to_sleep(Pm *pm)
{
    Board *board = pm->dev.board;
    unsigned type = (pm->control & PM1_SLP_TYPS) / PM1_SLP_TYP(1u);

    if (type == LAYOUT_S5_TYPE)
        board->request(board, BOARD_POWEROFF, 0, "The guest turned itself off");
    else if (type == LAYOUT_S3_TYPE && pm->to_mem)
        board->request(board, BOARD_SUSPEND, 0, "The guest suspended itself to memory");
    else if (type == LAYOUT_S4_TYPE && pm->to_disk)
        board->request(board, BOARD_HIBERNATE, 0, "The guest suspended itself to its disk");
    else
        log_guest("The guest asked for sleep type %u, which does not exist", type);
}

/* While it sleeps: the button always wakes it, the clock where the guest has enabled that (4.8.2.2.1, 4.8.2.4). */
static void
wake_up(Pm *pm)
{
    uint16_t events = pm->status & (PM1_POWER_BUTTON | (pm->enable & PM1_RTC));
    Board *board = pm->dev.board;

    if (!pm->asleep || !events)
        return;
    pm->asleep = false;
    pm->woken_by = events;
    board->request(board, BOARD_WAKE, 0,
                   events & PM1_RTC ? "The alarm of its clock woke the guest"
                                    : "The power button woke the guest");
}

static uint8_t
read_port(Device *dev, unsigned port)
{
    Pm *pm = (Pm *)dev;

    switch (port & ~1u) {
    case PM1_STATUS:
        return pm->status >> (8 * (port & 1));
    case PM1_ENABLE:
        return pm->enable >> (8 * (port & 1));
    case PM1_CONTROL:
        return pm->control >> (8 * (port & 1));
    default:
        return 0;
    }
}

static void
write_port(Device *dev, unsigned port, uint8_t value)
{
    Pm *pm = (Pm *)dev;
    unsigned shift = 8 * (port & 1);
    uint16_t mask = 0xff << shift, bits = value << shift;

    switch (port & ~1u) {
    case PM1_STATUS:
        pm->status &= ~bits;
        break;
    case PM1_ENABLE:
        pm->enable = (pm->enable & ~mask) | (bits & PM1_EVENTS);
        break;
    case PM1_CONTROL:
        bits &= PM1_BM_RLD | PM1_SLP_TYPS | PM1_SLP_EN;
        pm->control = ((pm->control & ~mask) | bits | PM1_SCI_EN) & ~PM1_SLP_EN;
        if (bits & PM1_SLP_EN)
            go_to_sleep(pm);
        break;
    default: /* the timer is only read */
        break;
    }
}

/* The timer is read at one moment, however many bytes of it. */
static uint64_t
pm_read(Device *dev, uint64_t offset, unsigned size)
{
    Pm *pm = (Pm *)dev;

    update(pm);
    if (offset >= PM_TIMER)
        return (timer_ticks(pm) & ((1u << TIMER_BITS) - 1)) >> (8 * (offset - PM_TIMER));
    return isa_read(dev, offset, size, read_port);
}

static void
pm_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    update((Pm *)dev);
    isa_write(dev, offset, size, value, write_port);
    update((Pm *)dev);
}

static const BusOps pm_ops = { pm_read, pm_write };

/* The status stays until the guest clears it, 4.8.2.2.1.1. */
static bool
pm_power_button(Device *dev)
{
    Pm *pm = (Pm *)dev;

    pthread_mutex_lock(&dev->lock);
    pm->status |= PM1_POWER_BUTTON;
    update(pm);
    wake_up(pm);
    pthread_mutex_unlock(&dev->lock);
    return true;
}

static void
pm_rtc_alarm(Device *dev)
{
    Pm *pm = (Pm *)dev;

    pthread_mutex_lock(&dev->lock);
    pm->status |= PM1_RTC;
    update(pm);
    wake_up(pm);
    pthread_mutex_unlock(&dev->lock);
}

/* Something may have happened on the guest's way to bed. */
static void
pm_sleep(Device *dev)
{
    Pm *pm = (Pm *)dev;

    pthread_mutex_lock(&dev->lock);
    pm->asleep = true;
    pm->woken_by = 0;
    wake_up(pm);
    pthread_mutex_unlock(&dev->lock);
}

static bool
pm_create(Device *dev, VmmMsg *params, VmmError *err)
{
    Pm *pm = (Pm *)dev;

    pm->alarm = alarm_new(dev->board->loop, CLOCK_MONOTONIC_RAW, &dev->lock, alarm_rings, pm, err);
    if (!pm->alarm)
        return false;
    pm->origin_ns = alarm_now(pm->alarm);
    pm->to_mem = pm->to_disk = true;
    vmm_msg_get_bool(params, "pm-suspend-to-mem", &pm->to_mem);
    vmm_msg_get_bool(params, "pm-suspend-to-disk", &pm->to_disk);
    return device_claim(dev, dev->board->pio, LAYOUT_PM_BASE, N_PORTS, &pm_ops, err);
}

static void
pm_reset(Device *dev)
{
    Pm *pm = (Pm *)dev;

    pm->status = 0;
    pm->enable = 0;
    pm->control = PM1_SCI_EN;
    pm->origin_ns = alarm_now(pm->alarm);
    pm->halves = 0;
    pm->asleep = false;
    update(pm);
}

/* What nobody in the guest's world has woken it by is told as its button, as QEMU does: some guests go on only where
 * they find something. */
static void
pm_wake(Device *dev)
{
    Pm *pm = (Pm *)dev;

    pm_reset(dev);
    pm->status = PM1_WAKE | (pm->woken_by ? pm->woken_by : PM1_POWER_BUTTON);
}

/* The timer goes on from where it was, as the TSC does. */

static uint64_t
get_timer_ns(const void *object)
{
    const Pm *pm = object;

    return alarm_now(pm->alarm) - pm->origin_ns;
}

static bool
set_timer_ns(void *object, uint64_t ns)
{
    Pm *pm = object;

    pm->origin_ns = alarm_now(pm->alarm) - ns;
    return true;
}

static bool
pm_loaded(void *object, VmmError *err)
{
    update(object);
    return true;
}

static const StateField pm_fields[] = {
    STATE_NUMBER(Pm, status),
    STATE_NUMBER(Pm, enable),
    STATE_NUMBER(Pm, control),
    STATE_NUMBER(Pm, halves),
    STATE_VALUE("timer_ns", get_timer_ns, set_timer_ns),
    STATE_END,
};

static const StateTable pm_state = { .version = 1, .fields = pm_fields, .loaded = pm_loaded };

static void
pm_destroy(Device *dev)
{
    alarm_free(((Pm *)dev)->alarm);
}

const DeviceClass pm_class = {
    .name = "pm",
    .size = sizeof(Pm),
    .create = pm_create,
    .reset = pm_reset,
    .state = &pm_state,
    .power_button = pm_power_button,
    .rtc_alarm = pm_rtc_alarm,
    .sleep = pm_sleep,
    .wake = pm_wake,
    .destroy = pm_destroy,
};
