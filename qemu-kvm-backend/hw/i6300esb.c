/* i6300esb: the watchdog timer of Intel's 6300ESB I/O controller hub (datasheet 300641, chapter 17), a PCI function.
 *
 * Keys: bus?, slot?, function? (pci.h), and action? string (VMM_WATCHDOG_*; reset): what the machine does when the
 * watchdog bites.
 *
 * The timer has two stages. The first ends with an interrupt, which on this board goes nowhere, because it is wired
 * to the hub's second I/O APIC: there is its status bit. The second ends with the hub's WDT_OUTPUT pin, unless it is
 * off. Time stands still while the guest is paused.
 */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/alarm.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <stdlib.h>
#include <string.h>

/* Configuration space: 17.3. */
#define CONFIG            0x60
#define CONFIG_INTERRUPT  0x0003u /* of stage 1 */
#define CONFIG_FAST       0x0004u /* counts PCI clocks by 2^5 rather than 2^15 */
#define CONFIG_OUTPUT_OFF 0x0020u
#define INTERRUPT_IRQ     0u
#define LOCK              0x68
#define LOCK_LOCKED       0x01u /* until the next reset */
#define LOCK_ENABLED      0x02u
#define LOCK_FREE_RUN     0x04u

/* Memory space: 17.4. */
#define BAR_SIZE       16u
#define PRELOAD_1      0x0
#define PRELOAD_2      0x4
#define STATUS         0x8
#define STATUS_ACTIVE  0x1u /* stage 1 has ended */
#define RELOAD         0xc
#define RELOAD_AGAIN   0x0100u
#define RELOAD_TIMEOUT 0x0200u /* the last reset was the watchdog's */
#define RELOAD_LINUX   0x1000u /* where Linux' driver looks for the same */
#define PRELOAD_MAX    0xfffffu

#define UNLOCK_FIRST  0x80 /* these two written to RELOAD unlock the next write */
#define UNLOCK_SECOND 0x86

#define CLOCK_NS    30u /* of PCI: 33 MHz */
#define LEFT_MAX_NS (((uint64_t)PRELOAD_MAX * CLOCK_NS) << 15)
#define STAGE_NS                                                                                   \
    1000000u /* the shortest stage here: a guest cannot keep the main thread busy with it */

typedef enum Unlock { UNLOCK_NOT, UNLOCK_HALF, UNLOCK_DONE } Unlock;

typedef struct Watchdog {
    PciFunction fn;
    Alarm *alarm;
    char *action;
    uint8_t lock; /* LOCK as it was before the guest's last write */
    Unlock unlock;
    uint32_t preload[2]; /* of the stages */
    bool active;         /* the status bit */
    bool bitten;         /* outlives resets */
    unsigned stage;      /* 0 or 1 */
    uint64_t end_ns;     /* of the stage; 0: the timer stands */
    uint64_t left_ns;    /* of the stage, while the guest is paused */
} Watchdog;

static void
set_timer(Watchdog *dog, uint64_t end_ns)
{
    dog->end_ns = end_ns;
    alarm_set(dog->alarm, end_ns);
}

static uint32_t
config(const Watchdog *dog)
{
    return pci_get(&dog->fn, CONFIG, 2);
}

static void
begin_stage(Watchdog *dog, unsigned stage)
{
    unsigned shift = config(dog) & CONFIG_FAST ? 5 : 15;
    uint64_t ns = ((uint64_t)dog->preload[stage] << shift) * CLOCK_NS;

    dog->stage = stage;
    set_timer(dog, alarm_now(dog->alarm) + (ns < STAGE_NS ? STAGE_NS : ns));
}

/* Power-on state, but for what says who reset the machine. */
static void
start_over(Watchdog *dog)
{
    dog->lock = 0;
    dog->unlock = UNLOCK_NOT;
    dog->preload[0] = dog->preload[1] = PRELOAD_MAX;
    dog->active = false;
    dog->left_ns = 0;
    set_timer(dog, 0);
    pci_set(&dog->fn, CONFIG, 2, 0);
    pci_set(&dog->fn, LOCK, 1, 0);
}

/* The machine acts on the event. A watchdog that has bitten is off until it is set up again, also where the guest
 * goes on. */
static void
bite(Watchdog *dog)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WATCHDOG);
    Device *dev = &dog->fn.dev;

    vmm_msg_put_string(event, "id", dev->id);
    vmm_msg_put_string(event, "action", dog->action);
    start_over(dog);
    dog->bitten = true;
    dev->board->notify(dev->board, event);
}

static void
end_stage(Watchdog *dog)
{
    if (dog->stage == 0) {
        dog->active |= (config(dog) & CONFIG_INTERRUPT) == INTERRUPT_IRQ;
        begin_stage(dog, 1);
    } else if (!(config(dog) & CONFIG_OUTPUT_OFF)) {
        bite(dog);
    } else if (dog->lock & LOCK_FREE_RUN) {
        begin_stage(dog, 0);
    } else {
        set_timer(dog, 0);
    }
}

static void
on_alarm(void *data)
{
    Watchdog *dog = data;

    if (!dog->end_ns)
        return;
    if (alarm_now(dog->alarm) < dog->end_ns)
        alarm_set(dog->alarm, dog->end_ns);
    else
        end_stage(dog);
}

/* Configuration space. */

static void
dog_config_written(PciFunction *fn, unsigned offset, unsigned size)
{
    Watchdog *dog = (Watchdog *)fn;
    uint8_t before = dog->lock, lock = pci_get(fn, LOCK, 1);

    if (before & LOCK_LOCKED) {
        pci_set(fn, LOCK, 1, before);
        return;
    }
    dog->lock = lock;
    if (!(lock & LOCK_ENABLED))
        set_timer(dog, 0);
    else if (!(before & LOCK_ENABLED))
        begin_stage(dog, 0);
}

/* Memory space. */

static uint64_t
dog_read(Device *dev, uint64_t offset, unsigned size)
{
    const Watchdog *dog = (const Watchdog *)dev;

    switch (offset) {
    case PRELOAD_1:
        return dog->preload[0];
    case PRELOAD_2:
        return dog->preload[1];
    case STATUS:
        return dog->active ? STATUS_ACTIVE : 0;
    case RELOAD:
        return dog->bitten ? RELOAD_TIMEOUT | RELOAD_LINUX : 0;
    default:
        return 0;
    }
}

static void
write_reload(Watchdog *dog, uint32_t value)
{
    if (value & RELOAD_AGAIN && dog->lock & LOCK_ENABLED)
        begin_stage(dog, 0);
    if (value & RELOAD_TIMEOUT)
        dog->bitten = false;
}

/* One write after the two that unlock it. */
static void
write_unlocked(Watchdog *dog, uint64_t offset, uint32_t value)
{
    if (offset == PRELOAD_1 || offset == PRELOAD_2)
        dog->preload[offset == PRELOAD_2] = value & PRELOAD_MAX;
    else if (offset == RELOAD)
        write_reload(dog, value);
}

static void
dog_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    Watchdog *dog = (Watchdog *)dev;
    Unlock was = dog->unlock;

    if (size < 4)
        value &= (1u << (8 * size)) - 1;
    dog->unlock = UNLOCK_NOT;
    if (offset == STATUS)
        dog->active &= !(value & STATUS_ACTIVE);
    else if (offset == RELOAD && value == UNLOCK_FIRST)
        dog->unlock = UNLOCK_HALF;
    else if (offset == RELOAD && value == UNLOCK_SECOND && was == UNLOCK_HALF)
        dog->unlock = UNLOCK_DONE;
    else if (was == UNLOCK_DONE)
        write_unlocked(dog, offset, value);
}

/* The device. */

static bool
read_action(Watchdog *dog, VmmMsg *params, VmmError *err)
{
    static const char *const actions[] = {
        VMM_WATCHDOG_NONE,     VMM_WATCHDOG_PAUSE,    VMM_WATCHDOG_RESET,
        VMM_WATCHDOG_POWEROFF, VMM_WATCHDOG_SHUTDOWN, VMM_WATCHDOG_INJECT_NMI,
    };
    const char *action = VMM_WATCHDOG_RESET;

    vmm_msg_get_string(params, "action", &action);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i], action) == 0) {
            dog->action = vmm_must(strdup(action));
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': there is no action '%s'", dog->fn.dev.id,
                     action);
}

static bool
dog_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x8086, 0x25ab, 0, 0x088000 };
    static const PciOps pci_ops = { .config_written = dog_config_written };
    static const BusOps bus_ops = { dog_read, dog_write };
    Watchdog *dog = (Watchdog *)dev;

    if (!read_action(dog, params, err))
        return false;
    dog->alarm = alarm_new(dev->board->loop, CLOCK_MONOTONIC, &dev->lock, on_alarm, dog, err);
    if (!dog->alarm)
        return false;
    pci_init(&dog->fn, &identity, &pci_ops);
    pci_add_bar(&dog->fn, 0, BAR_SIZE, 0, &bus_ops);
    pci_allow(&dog->fn, CONFIG, 2, CONFIG_INTERRUPT | CONFIG_FAST | CONFIG_OUTPUT_OFF);
    pci_allow(&dog->fn, LOCK, 1, LOCK_LOCKED | LOCK_ENABLED | LOCK_FREE_RUN);
    return pci_plug(&dog->fn, params, err);
}

static void
dog_reset(Device *dev)
{
    pci_reset((PciFunction *)dev);
    start_over((Watchdog *)dev);
}

static void
dog_pause(Device *dev)
{
    Watchdog *dog = (Watchdog *)dev;
    uint64_t now = alarm_now(dog->alarm);

    pthread_mutex_lock(&dev->lock);
    dog->left_ns = !dog->end_ns ? 0 : dog->end_ns > now ? dog->end_ns - now : 1;
    set_timer(dog, 0);
    pthread_mutex_unlock(&dev->lock);
}

static void
dog_resume(Device *dev)
{
    Watchdog *dog = (Watchdog *)dev;

    pthread_mutex_lock(&dev->lock);
    if (dog->left_ns)
        set_timer(dog, alarm_now(dog->alarm) + dog->left_ns);
    dog->left_ns = 0;
    pthread_mutex_unlock(&dev->lock);
}

static bool
dog_eject(Device *dev, VmmError *err)
{
    return pci_eject((PciFunction *)dev, err);
}

static void
dog_destroy(Device *dev)
{
    Watchdog *dog = (Watchdog *)dev;

    pci_unplug(&dog->fn);
    alarm_free(dog->alarm);
    free(dog->action);
}

static const StateField dog_fields[] = {
    STATE_STRUCT(Watchdog, fn, &pci_function_state),
    STATE_NUMBER(Watchdog, lock),
    STATE_NUMBER_MAX(Watchdog, unlock, UNLOCK_DONE),
    STATE_NUMBERS(Watchdog, preload),
    STATE_NUMBER(Watchdog, active),
    STATE_NUMBER(Watchdog, bitten),
    STATE_NUMBER_MAX(Watchdog, stage, 1),
    STATE_NUMBER_MAX(Watchdog, left_ns, LEFT_MAX_NS), /* until it is resumed */
    STATE_END,
};

static bool
dog_loaded(void *object, VmmError *err)
{
    Watchdog *dog = object;

    for (unsigned i = 0; i < 2; i++) {
        if (dog->preload[i] > PRELOAD_MAX)
            return vmm_error(err, VMM_ERROR_INVALID, "A watchdog's stage has more than 20 bits");
    }
    return true;
}

static const StateTable dog_state = { .version = 1, .fields = dog_fields, .loaded = dog_loaded };

const DeviceClass i6300esb_class = {
    .name = VMM_CLASS_I6300ESB,
    .needs = device_pci_classes,
    .size = sizeof(Watchdog),
    .create = dog_create,
    .reset = dog_reset,
    .pause = dog_pause,
    .resume = dog_resume,
    .eject = dog_eject,
    .state = &dog_state,
    .destroy = dog_destroy,
};
