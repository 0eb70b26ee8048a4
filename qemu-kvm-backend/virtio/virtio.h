/* virtio: what every virtio device is, apart from how the guest reaches it.
 *
 * A device is one source file here with a VirtioClass and a row in virtio-classes.c; "add-device" names it
 * by class "virtio-pci" and key "device". The transport negotiates, maps the queues and calls the hooks:
 *
 *     create -> (start -> kick... -> stop)... -> destroy
 *
 * create and destroy are the main thread's, nothing else is going on. start, kick and stop come in the
 * thread of vdev->loop with the device's lock held, so that they may use that loop; no vCPU waits for
 * them. config_written is the vCPU's own call, with the lock held too. After start, and so after a
 * pause, every queue that is ready is kicked once whether the driver did so or not.
 *
 * Queues are the driver's to place until DRIVER_OK and do not move after it (start), until stop.
 */
#pragma once

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/iothread.h"
#include "qemu-kvm-backend/virtio/queue.h"

#define VIRTIO_QUEUES_MAX 32

/* Feature bits of the core (virtio 1.2, section 6). The transport offers these by itself. */
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX     29
#define VIRTIO_F_VERSION_1     32

typedef struct VirtioDevice VirtioDevice;

typedef struct VirtioClass {
    const char *name;   /* the "device" key: "blk", "net", ... */
    uint16_t id;        /* virtio 1.2, section 5 */
    uint32_t pci_class; /* class code, subclass and programming interface: 0x018000 for storage */
    size_t size;        /* of the instance, whose first member is the VirtioDevice */
    /* Reads @params, then sets features, n_queues, queue_size and config. */
    bool (*create)(VirtioDevice *vdev, VmmMsg *params, VmmError *err);
    /* The driver wrote to the configuration, which is already changed. NULL: it is read-only. */
    void (*config_written)(VirtioDevice *vdev, unsigned offset, unsigned size);
    /* DRIVER_OK: vdev->driver_features are final and the queues may be used. Also after a pause. */
    void (*start)(VirtioDevice *vdev);
    /* Reset or pause: when it returns, no thread touches a queue or guest memory for this device, and
     * every chain that was popped has been pushed or, before a reset, forgotten. */
    void (*stop)(VirtioDevice *vdev);
    bool quick; /* what the driver notifies of is waited for (loop_source_set_quick()) */
    /* The driver notified @queue, or may have. */
    void (*kick)(VirtioDevice *vdev, unsigned queue);
    /* The driver starts over: what it told the device is forgotten. After stop, in the same thread; the
     * calling vCPU's where the device has not been started since the last reset. */
    void (*reset)(VirtioDevice *vdev);
    /* "tell-device": DeviceClass's hook, in the thread of vdev->loop with the lock held. */
    bool (*tell)(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err);
    /* DeviceClass's hook: after stop, in any thread, with the lock held, which is let go of while it
     * waits, for others may be told something. NULL: it keeps nothing. */
    bool (*flush)(VirtioDevice *vdev, VmmError *err);
    void (*destroy)(VirtioDevice *vdev); /* half-created ones too; not the memory itself */
    /* What is saved of the device beside what the transport saves (status, negotiated features, queues,
     * interrupts): after stop, so that no chain is on its way; loaded before start. One of the two, as in
     * DeviceClass. */
    const struct StateTable *state;
    const char *stateless;
} VirtioClass;

/* How a device reaches the guest: owned by the PCI transport. */
typedef struct VirtioTransport {
    void (*raise_queue)(VirtioDevice *vdev, unsigned queue); /* any thread */
    void (*raise_config)(VirtioDevice *vdev);                /* any thread */
    void (*kick)(VirtioDevice *vdev, unsigned queue);        /* any thread */
} VirtioTransport;

struct VirtioDevice {
    const VirtioClass *class;
    Device *dev; /* the transport's: its id, its board, its lock */
    const VirtioTransport *transport;
    Loop *loop; /* where kicks come; the board's main loop unless create sets an IoThread's */
    uint64_t features; /* offered, beyond those that the transport adds */
    uint64_t driver_features;
    unsigned n_queues;
    unsigned queue_size; /* the maximum, a power of two */
    void *config;        /* the device-specific configuration, little-endian, the instance's */
    size_t config_size;
    bool started;
    bool broken; /* NEEDS_RESET is set: queues are left alone until the driver resets the device */
    VirtQueue *queues[VIRTIO_QUEUES_MAX];
};

static inline bool
virtio_has(const VirtioDevice *vdev, unsigned feature)
{
    return vdev->driver_features >> feature & 1;
}

/* The driver did what no driver does: sets NEEDS_RESET, tells it, logs @why once (2.1.2). */
void virtio_break(VirtioDevice *vdev, const char *why);
/* The configuration changed by itself: tells the driver. */
void virtio_config_changed(VirtioDevice *vdev);
/* Has the kick hook called for @queue once the loop has served its other sources. A device that has done as
 * many chains as the queue has descriptors calls this instead of going on: a driver that adds chains as
 * fast as they are done must not keep the loop to itself. Any thread. */
void virtio_kick(VirtioDevice *vdev, unsigned queue);
/* The class that a "device" key names, or NULL. */
const VirtioClass *virtio_class_find(const char *name);
