#include "qemu-kvm-backend/device.h"

#include <stdlib.h>
#include <string.h>

Device *
device_new(const DeviceClass *class, Board *board, const char *id, VmmMsg *params, VmmError *err)
{
    Device *dev = vmm_must(calloc(1, class->size));

    dev->class = class;
    dev->id = vmm_must(strdup(id));
    dev->board = board;
    pthread_mutex_init(&dev->lock, NULL);
    if (class->create(dev, params, err))
        return dev;
    device_free(dev);
    return NULL;
}

void
device_free(Device *dev)
{
    if (!dev)
        return;
    if (dev->board->pio)
        bus_remove(dev->board->pio, dev);
    if (dev->board->mmio)
        bus_remove(dev->board->mmio, dev);
    if (dev->class->destroy)
        dev->class->destroy(dev);
    pthread_mutex_destroy(&dev->lock);
    free(dev->id);
    free(dev);
}

void
device_reset(Device *dev)
{
    if (dev->class->reset)
        dev->class->reset(dev);
}

void
device_sleep(Device *dev)
{
    if (dev->class->sleep)
        dev->class->sleep(dev);
}

void
device_wake(Device *dev)
{
    if (dev->class->wake)
        dev->class->wake(dev);
    else
        device_reset(dev);
}

void
device_pause(Device *dev)
{
    if (dev->class->pause)
        dev->class->pause(dev);
}

void
device_resume(Device *dev)
{
    if (dev->class->resume)
        dev->class->resume(dev);
}

bool
device_flush(Device *dev, VmmError *err)
{
    bool good;

    if (!dev->class->flush)
        return true;
    pthread_mutex_lock(&dev->lock);
    good = dev->class->flush(dev, err);
    pthread_mutex_unlock(&dev->lock);
    return good;
}

bool
device_claim(Device *dev, Bus *bus, uint64_t base, uint64_t size, const BusOps *ops, VmmError *err)
{
    const BusOwner owner = { dev, dev->id, &dev->lock };

    return bus_add(bus, base, size, ops, owner, err);
}
