/* device: what every device model is, and what it may ask of the board that it sits on.
 *
 * A device is one source file with a DeviceClass and a row in device-classes.c. It reads its own
 * parameters from the "add-device" message; neither the machine nor the protocol knows them.
 */
#pragma once

#include "qemu-kvm-backend/bus.h"
#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct Aml;
typedef struct Device Device;
typedef struct Board Board;

typedef enum BoardRequest {
    BOARD_POWEROFF, /* the guest turned itself off */
    BOARD_RESET,    /* the guest asked for a reset */
    BOARD_EXIT,     /* the debug-exit port; @code is what was written */
    BOARD_IO_ERROR, /* the host must mend something before the guest goes on */
    BOARD_PANIC,    /* the guest's kernel says that it has crashed */
    BOARD_SUSPEND,  /* the guest sleeps, and keeps its RAM (S3) */
    BOARD_HIBERNATE, /* the guest has saved itself to its disk and turned itself off (S4) */
    BOARD_WAKE,     /* something wakes a guest that sleeps */
} BoardRequest;

/* What a device writes to memory space instead of driving a line (MSI). */
typedef struct MsiMessage {
    uint64_t address;
    uint32_t data;
} MsiMessage;

/* The board as devices see it; the machine fills it in, tests fill in their own. */
struct Board {
    Loop *loop;
    Memory *memory;
    Bus *pio;
    Bus *mmio;
    struct Pci *pci;      /* NULL: the board has no PCI host */
    struct FwCfg *fw_cfg; /* NULL: no firmware runs on it */
    bool lpc;             /* there is an LPC bridge, or will be before the guest runs */
    bool ps2;             /* a keyboard and a mouse are plugged into the keyboard controller */
    bool hot;             /* has been powered on: what comes now is plugged into a running guest */
    /* Drives interrupt line @gsi (0 to 23; ISA IRQ numbers are the first 16). Any thread. */
    void (*set_irq)(Board *board, unsigned gsi, bool level);
    /* The same for a line (0 to 15) that pins of PCI share with what set_irq() drives: either holds it up. */
    void (*set_shared_irq)(Board *board, unsigned gsi, bool level);
    /* Asks for the end of this run of the machine; the vCPU that called executes no further guest
     * instruction. Any thread, never blocks. @why is for the log. */
    void (*request)(Board *board, BoardRequest what, unsigned code, const char *why);
    /* Tells the driver: takes @event over. Any thread, never blocks. */
    void (*notify)(Board *board, VmmMsg *event);
    /* A message-signalled interrupt, raised by writing to the eventfd @fd, which stays the caller's.
     * Its number, or -1 with errno. It starts masked: what is written waits in the eventfd until
     * msi_set() gives it a message; NULL masks it again. False with errno. Any thread. */
    int (*msi_new)(Board *board, int fd);
    bool (*msi_set)(Board *board, int msi, const MsiMessage *message);
    void (*msi_free)(Board *board, int msi);
    /* From now on a guest's writes to MMIO address @gpa signal the eventfd @fd instead of reaching the
     * bus. False with errno: then they go on to reach the bus. Any thread. */
    bool (*add_doorbell)(Board *board, uint64_t gpa, int fd);
    void (*remove_doorbell)(Board *board, uint64_t gpa, int fd);
    /* From now on the guest reads @size bytes at @host (both of whole pages) when it reads at @gpa, instead
     * of asking the MMIO bus; writes go on to reach the bus. False with errno. Any thread. */
    bool (*map_rom)(Board *board, uint64_t gpa, const void *host, uint64_t size);
    void (*unmap_rom)(Board *board, uint64_t gpa);
    /* The real-time clock's alarm has gone off. Any thread; the caller may hold its own lock. */
    void (*rtc_alarm)(Board *board);
};

/* The hooks are called in the main thread, without the lock: power_button takes it itself, for the
 * others, where they do not say otherwise, the vCPUs are stopped. */
typedef struct DeviceClass {
    const char *name; /* as in "add-device" */
    /* Devices that the board gets first where it has not got them yet; NULL ends it. */
    const struct DeviceClass *const *needs;
    size_t size; /* of the instance, whose first member is the Device */
    /* Reads @params, claims ports and lines. On false the machine calls destroy. @params is the
     * "create" message for the board's own devices, whose keys begin with the device's name. Those that
     * others need get an empty one. */
    bool (*create)(Device *dev, VmmMsg *params, VmmError *err);
    void (*reset)(Device *dev);                     /* power-on state; vCPUs are stopped */
    void (*pause)(Device *dev);                     /* vCPUs are stopped; go quiet */
    void (*resume)(Device *dev);                    /* before the vCPUs run */
    void (*describe)(Device *dev, struct Aml *aml); /* adds the device to the DSDT's \_SB scope */
    /* Asks the guest to let go; once it has, the event "device-removed" with the device's id goes to
     * board->notify(), and the machine destroys the device. Only devices with this hook are added and
     * removed after power-on. */
    bool (*eject)(Device *dev, VmmError *err);
    bool (*power_button)(Device *dev); /* true where this device is the button */
    void (*rtc_alarm)(Device *dev); /* of the board: takes the lock itself, in any thread */
    /* The machine has fallen asleep (S3). What wakes it may ask for that from here on, BOARD_WAKE. */
    void (*sleep)(Device *dev);
    /* It wakes: as a reset, but what the sleeping guest left in RAM is not touched. NULL: reset. */
    void (*wake)(Device *dev);
    /* "tell-device": reads @request, answers into @reply; whether vCPUs run or not. NULL: it can be told
     * nothing. */
    bool (*tell)(Device *dev, VmmMsg *request, VmmMsg *reply, VmmError *err);
    /* Has on the host's stable storage what the device keeps for the guest outside of the machine, as a disk does: false
     * with @err where the host cannot. After pause, before it is saved; in any thread, with the lock, which others may
     * have while it waits where the device can be told something. NULL: it keeps nothing. */
    bool (*flush)(Device *dev, VmmError *err);
    void (*destroy)(Device *dev); /* half-created ones too; not the memory itself */
    /* What is saved of the device, and restored into one that was created from the same parameters and
     * reset. After pause; nothing is on its way then. The table's @loaded drives interrupt lines and sets
     * alarms as they were. A device without one says why in @stateless. */
    const struct StateTable *state;
    const char *stateless;
} DeviceClass;

struct Device {
    const DeviceClass *class;
    char *id;
    Board *board;
    pthread_mutex_t lock; /* held by bus dispatch; the device's own main-loop work takes it too */
};

/* A device of @class on @board, created from @params; NULL with @err. The machine owns the result. */
Device *device_new(const DeviceClass *class, Board *board, const char *id, VmmMsg *params,
                   VmmError *err);
void device_free(Device *dev);

/* The hooks of its class of these names; nothing where it has none. */
void device_reset(Device *dev);
void device_sleep(Device *dev);
void device_wake(Device *dev);
void device_pause(Device *dev);
void device_resume(Device *dev);
/* In any thread, without the lock. */
bool device_flush(Device *dev, VmmError *err);

/* Puts [base, base + size) of @bus, one of the board's two, into the hands of @dev, until it is freed or
 * bus_remove_at(). Fails where another device has some of it. */
bool device_claim(Device *dev, Bus *bus, uint64_t base, uint64_t size, const BusOps *ops,
                  VmmError *err);
