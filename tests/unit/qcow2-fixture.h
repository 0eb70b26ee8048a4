/* Images that qemu-img makes and judges, and the disks on them. */
#pragma once

#include "qemu-kvm-backend/block/block.h"

#include <glib.h>

/* A directory of its own, gone at the end of the test; in memory unless O_DIRECT is to work there. */
char *qcow2_test_dir(gboolean direct);
void qcow2_test_dir_free(char *dir);

/* Runs qemu-img with the words of @format; the test fails where that fails. */
void qemu_img(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* What it says, or NULL where it fails. */
char *qemu_img_output(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* No corruption; @leaks: but clusters that are lost are fine. */
void qemu_img_check(const char *path, gboolean leaks);

typedef struct Qcow2Disk {
    pthread_mutex_t lock;
    Block *block;
    unsigned under_way;
} Qcow2Disk;

/* Opens @path, then its backing files "FORMAT:PATH" in @backing, up to NULL. NULL with @err. */
Qcow2Disk *qcow2_disk_open(const EngineClass *engine, const char *path, const char *cache,
                           gboolean read_only, const char *const *backing, VmmError *err);
void qcow2_disk_close(Qcow2Disk *disk);

typedef struct Qcow2Request {
    BlockRequest block; /* first */
    Qcow2Disk *disk;
    struct iovec iov[3];
    uint8_t *data; /* owned */
    uint64_t offset, size;
    BlockOp op;
    int error;
    gboolean ended;
    void *user;
} Qcow2Request;

/* A request for data in buffers of odd sizes; @data is copied and may be NULL. */
Qcow2Request *qcow2_request(Qcow2Disk *disk, BlockOp op, uint64_t offset, uint64_t size,
                            const void *data);
void qcow2_request_free(Qcow2Request *req);
/* One that is waited for. */
int qcow2_do(Qcow2Disk *disk, BlockOp op, uint64_t offset, uint64_t size, void *data);
