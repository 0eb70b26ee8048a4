/* hardware: the motherboard. Memory, buses, chips, vCPUs and devices put together, turned on, stopped
 * and put back to the start. It names no device and knows no policy: machine.h is who asks.
 *
 * Every call is the main thread's.
 */
#pragma once

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/state.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Hardware Hardware;

/* Both are called in any thread and must not block. */
typedef struct HardwareOwner {
    /* The guest has ended its run, for @reason (VMM_REASON_*); its vCPUs are being called back. */
    void (*ended)(void *data, const char *reason, const char *text);
    /* A device has news for the driver; takes @event over. */
    void (*notify)(void *data, VmmMsg *event);
    void *data;
} HardwareOwner;

/* Builds what @config says, with the devices that every board has. @config stays the caller's and
 * outlives the result, which takes its kvm_fd over. NULL with @err. */
Hardware *hardware_new(Loop *loop, MachineConfig *config, VmmMsg *create,
                       const HardwareOwner *owner, VmmError *err);
void hardware_free(Hardware *hw);

/* Adds a device of @class from the parameters in @msg, all of which it must understand. After
 * hardware_power_on() only one with an eject hook, and with the vCPUs parked. */
bool hardware_add_device(Hardware *hw, const DeviceClass *class, const char *id, VmmMsg *msg,
                         VmmError *err);

/* Hands @msg to the device @id, which answers into @reply. */
bool hardware_tell_device(Hardware *hw, const char *id, VmmMsg *msg, VmmMsg *reply, VmmError *err);

/* Asks the guest to let go of a device. False where it does not do that. */
bool hardware_eject_device(Hardware *hw, const char *id, VmmError *err);
/* Destroys one that has an eject hook; false where there is none of that name. With the vCPUs parked. */
bool hardware_remove_device(Hardware *hw, const char *id);

/* Resets the devices, writes firmware's tables and loads the kernel; once, and again after a failure. */
bool hardware_power_on(Hardware *hw, VmmError *err);
/* Everything back to what it was at power-on, but for RAM, and loads the kernel anew. Halted. */
bool hardware_reset(Hardware *hw, VmmError *err);

/* It has halted for S3: from here on devices may ask for its end, and it is saved as one that sleeps. */
void hardware_sleep(Hardware *hw);
bool hardware_is_asleep(const Hardware *hw);
/* All but RAM back to what it was at power-on, and the first vCPU at the guest's waking vector, or at firmware's reset
 * vector. Halted. */
bool hardware_wake(Hardware *hw, VmmError *err);

/* Lets the vCPUs run; calls them back and waits until the last has parked, and excuses the pause to
 * the guest's clock. */
void hardware_run(Hardware *hw);
void hardware_halt(Hardware *hw);

/* Parks running vCPUs and lets them go on, the devices none the wiser. */
void hardware_park(Hardware *hw);
void hardware_unpark(Hardware *hw);

/* Has on the host's stable storage what device @i of a halted machine keeps outside of it; false with @err, which names
 * the device. In any thread, while no device comes or goes. */
size_t hardware_n_devices(const Hardware *hw);
bool hardware_flush(Hardware *hw, size_t i, VmmError *err);
/* Ends the instructions that the halt has interrupted (vcpus_finish()), which may have consequences: the guest lets go of a
 * device, or ends itself. */
bool hardware_finish(Hardware *hw, VmmError *err);
/* The state of a halted machine that has finished, but for RAM: what is written before and after it (guest-state.h). */
bool hardware_save(Hardware *hw, StateOut *before, StateOut *after, VmmError *err);
/* Restoring, into a machine that has all its devices and has not been powered on: all of RAM reads as zeros, and
 * what firmware asks the machine is there; ... */
bool hardware_prepare_restore(Hardware *hw, VmmError *err);
/* ... whether the first section of a stream fits it, in any thread; ... */
bool hardware_check_restore(Hardware *hw, const StateSection *first, VmmError *err);
/* ... and all others, once RAM is in place. It is then as a halted one. */
bool hardware_restore(Hardware *hw, const StateSection *(*section)(void *data, size_t i),
                      void *data, VmmError *err);
Memory *hardware_memory(Hardware *hw);

/* Notes which pages of RAM are written, by the guest and by its devices, from now on or no longer. Whether it runs or
 * not. False with @err. */
bool hardware_track_dirty(Hardware *hw, bool on, VmmError *err);
/* Adds the pages of RAM's region @i (memory_region()) that were written since the last call to @bitmap, which has
 * memory_dirty_words(). */
bool hardware_take_dirty(Hardware *hw, unsigned i, uint64_t *bitmap, VmmError *err);

/* False where no device is a power button, or the guest has no ACPI to learn of it. */
bool hardware_press_power_button(Hardware *hw);

/* A non-maskable interrupt, with the vCPUs parked. False where no vCPU takes it. */
bool hardware_inject_nmi(Hardware *hw);
/* See peek.h; @virtual: addresses are the first vCPU's. No vCPU runs. */
bool hardware_peek(Hardware *hw, uint64_t address, uint64_t size, bool virtual, int to, VmmError *err);

unsigned hardware_n_vcpus(const Hardware *hw);
/* Nanoseconds of CPU time of vCPU @i's thread. */
uint64_t hardware_cpu_time_ns(const Hardware *hw, unsigned i);
