#include "tests/unit/qcow2-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

char *
qcow2_test_dir(gboolean direct)
{
    char *dir = g_build_filename(direct ? g_get_tmp_dir() : "/dev/shm", "qcow2-XXXXXX", NULL);

    g_assert_nonnull(g_mkdtemp(dir));
    return dir;
}

void
qcow2_test_dir_free(char *dir)
{
    GDir *entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_unlink(path);
    }
    g_dir_close(entries);
    g_rmdir(dir);
    g_free(dir);
}

static gboolean
run(const char *arguments, char **ret_output, char **ret_errors)
{
    g_autofree char *line = g_strconcat("qemu-img ", arguments, NULL);
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_command_line_sync(line, ret_output, ret_errors, &status, &error))
        g_error("%s: %s", line, error->message);
    return g_spawn_check_wait_status(status, NULL);
}

void
qemu_img(const char *format, ...)
{
    g_autofree char *arguments = NULL, *output = NULL, *errors = NULL;
    va_list args;

    va_start(args, format);
    arguments = g_strdup_vprintf(format, args);
    va_end(args);
    if (!run(arguments, &output, &errors))
        g_error("qemu-img %s: %s%s", arguments, output, errors);
}

char *
qemu_img_output(const char *format, ...)
{
    g_autofree char *arguments = NULL, *errors = NULL;
    char *output = NULL;
    va_list args;

    va_start(args, format);
    arguments = g_strdup_vprintf(format, args);
    va_end(args);
    if (run(arguments, &output, &errors))
        return output;
    g_free(output);
    return NULL;
}

void
qemu_img_check(const char *path, gboolean leaks)
{
    g_autofree char *arguments = g_strdup_printf("check -f qcow2 --output=json %s", path);
    g_autofree char *output = NULL, *errors = NULL;

    if (run(arguments, &output, &errors))
        return;
    if (leaks && !strstr(output, "\"corruptions\"") && strstr(output, "\"leaks\""))
        return;
    g_error("qemu-img check %s: %s%s", path, output, errors);
}

/* Disks */

static void
reaped(void *data)
{
}

static int
open_file(const char *path, gboolean read_only, gboolean direct)
{
    return open(path, (read_only ? O_RDONLY : O_RDWR) | (direct ? O_DIRECT : 0) | O_CLOEXEC);
}

static void
put_backing(VmmMsg *params, const char *const *backing, gboolean direct)
{
    for (unsigned i = 0; backing && backing[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(backing[i], ":", 2);
        g_autofree char *fd = g_strdup_printf("backing-%u-fd", i + 1);
        g_autofree char *format = g_strdup_printf("backing-%u-format", i + 1);

        vmm_msg_put_fd(params, fd, open_file(parts[1], TRUE, direct));
        vmm_msg_put_string(params, format, parts[0]);
    }
}

Qcow2Disk *
qcow2_disk_open(const EngineClass *engine, const char *path, const char *cache, gboolean read_only,
                const char *const *backing, VmmError *err)
{
    gboolean direct = strcmp(cache, "none") == 0 || strcmp(cache, "directsync") == 0;
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    Qcow2Disk *disk = g_new0(Qcow2Disk, 1);
    const BlockOwner owner = { "disk", &disk->lock, reaped, disk };

    pthread_mutex_init(&disk->lock, NULL);
    vmm_msg_put_fd(params, "fd", open_file(path, read_only, direct));
    vmm_msg_put_string(params, "format", "qcow2");
    vmm_msg_put_string(params, "cache", cache);
    vmm_msg_put_bool(params, "read-only", read_only);
    put_backing(params, backing, direct);
    disk->block = block_open_with(engine, params, &owner, err);
    if (disk->block) {
        g_assert_null(vmm_msg_unread(params));
        return disk;
    }
    qcow2_disk_close(disk);
    return NULL;
}

void
qcow2_disk_close(Qcow2Disk *disk)
{
    block_close(disk->block);
    pthread_mutex_destroy(&disk->lock);
    g_free(disk);
}

static void
ended(BlockRequest *block, int error)
{
    Qcow2Request *req = (Qcow2Request *)block;

    g_assert_false(req->ended);
    req->ended = TRUE;
    req->error = error;
    req->disk->under_way--;
}

/* Three buffers next to each other, the first two of which end anywhere. */
static void
split(Qcow2Request *req)
{
    uint64_t first = req->size / 3, second = MIN(req->size - first, 777);

    req->iov[0] = (struct iovec){ req->data, first };
    req->iov[1] = (struct iovec){ req->data + first, second };
    req->iov[2] = (struct iovec){ req->data + first + second, req->size - first - second };
    req->block.iov = req->iov;
    req->block.n_iov = req->iov[2].iov_len > 0 ? 3 : 2;
}

Qcow2Request *
qcow2_request(Qcow2Disk *disk, BlockOp op, uint64_t offset, uint64_t size, const void *data)
{
    Qcow2Request *req = g_new0(Qcow2Request, 1);

    req->disk = disk;
    req->op = op;
    req->offset = offset;
    req->size = size;
    req->block = (BlockRequest){ .op = op, .offset = offset, .size = size, .done = ended };
    if (op == BLOCK_READ || op == BLOCK_WRITE) {
        req->data = data ? g_memdup2(data, size) : g_malloc(size);
        split(req);
    }
    disk->under_way++;
    return req;
}

void
qcow2_request_free(Qcow2Request *req)
{
    g_free(req->data);
    g_free(req);
}

int
qcow2_do(Qcow2Disk *disk, BlockOp op, uint64_t offset, uint64_t size, void *data)
{
    Qcow2Request *req = qcow2_request(disk, op, offset, size, op == BLOCK_WRITE ? data : NULL);
    int error;

    block_submit(disk->block, &req->block);
    block_start(disk->block);
    while (!req->ended)
        block_wait(disk->block);
    error = req->error;
    if (op == BLOCK_READ && !error)
        memcpy(data, req->data, size);
    qcow2_request_free(req);
    return error;
}
