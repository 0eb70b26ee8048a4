/* blk-guest: a disk of the VMM's, and a driver of it, for tests. What fails ends the test. */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "tests/unit/virtio-guest.h"

#include <linux/virtio_blk.h>

#define DISK_SIZE ((uint64_t)1 << 20)
/* Every feature but the event index, which would want to be driven. */
#define DISK_FEATURES  (~(1ull << VIRTIO_F_EVENT_IDX))
#define DISK_NO_STATUS 0xee /* what is where the status comes to */

typedef struct Disk {
    VirtioGuest *guest;
    char *path;
    int fd;
    unsigned next; /* descriptor to use */
} Disk;

/* What the VMM told its driver of since disk_open(): of VmmMsg. Events come from the disk's own thread, too. */
extern GPtrArray *disk_events;

/* Of a disk in @fd; with one of them more, and no descriptor yet. */
VmmMsg *disk_params(int fd);
VmmMsg *disk_params_with(const char *key, const char *value);

/* A disk of zeroes, opened with @flags. @params without a descriptor yet are taken over; NULL: the defaults. */
void disk_open(Disk *disk, VmmMsg *params, int flags);
/* The same, for reading and writing, with a driver at work. */
void disk_start(Disk *disk, VmmMsg *params);
void disk_close(Disk *disk);

/* A member of its configuration. */
uint64_t disk_config_get(Disk *disk, unsigned offset, unsigned size);
#define DISK_CONFIG(disk, member)                                                                  \
    disk_config_get(disk, offsetof(struct virtio_blk_config, member),                              \
                    sizeof(((struct virtio_blk_config *)0)->member))

/* Requests: descriptors in a row, of parts that are as long and lie as the test says. */
typedef struct Part {
    uint64_t gpa;
    uint32_t size;
    bool in;
} Part;
uint16_t disk_offer_parts(Disk *disk, unsigned queue, const Part *parts, unsigned n);
/* A header and a status in the guest's memory, and @size bytes of data that @seed makes. */
uint64_t disk_put_header(Disk *disk, uint32_t type, uint64_t sector);
uint64_t disk_put_status(Disk *disk);
uint64_t disk_put_data(Disk *disk, size_t size, unsigned seed);
/* The usual three parts; the status' address. */
uint64_t disk_offer(Disk *disk, unsigned queue, uint32_t type, uint64_t sector, uint64_t data,
                    uint32_t size, bool in);
uint8_t disk_status(Disk *disk, uint64_t gpa);
/* Waits until @n chains were given back, then their last one's length. */
uint32_t disk_await(Disk *disk, unsigned queue, unsigned n);
/* One request from its offer to its status. */
uint8_t disk_run(Disk *disk, uint32_t type, uint64_t sector, uint64_t data, uint32_t size, bool in);

/* What is in the file. */
void disk_check_file(Disk *disk, uint64_t at, uint64_t gpa, size_t size);
bool disk_file_is_zero(Disk *disk, uint64_t at, size_t size);
