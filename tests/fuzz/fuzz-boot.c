/* Fuzz target: any file as a kernel, and as its own initrd, for a guest of 4 MiB, by itself and for its firmware. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/firmware-kernel.h"
#include "tests/unit/test-board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_SIZE (4u << 20)

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static int
file_of(const uint8_t *data, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("kernel", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    return fd;
}

static void
offer(const BootSource *source, bool uefi, TestBoard *board)
{
    VmmError err = { 0 };

    fw_cfg_clear(board->board.fw_cfg);
    if (!firmware_kernel_put(source, uefi, board->board.memory, board->board.fw_cfg, &err))
        must(strlen(err.text) > 0);
}

static TestBoard *
new_board(void)
{
    TestBoard *board = test_board_new(NULL);

    board->board.memory = memory_new(RAM_SIZE, NULL);
    must(board->board.memory != NULL);
    test_board_add(board, &fw_cfg_class, NULL);
    return board;
}

/* RAM keeps what earlier inputs left there, as it does over a reset. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static TestBoard *board;
    BootSource source = { .cmdline = "console=ttyS0", .rsdp = 0xe0000 };
    BootEntry entry = { 0 };
    VmmError err = { 0 };

    if (!board)
        board = new_board();
    source.kernel_fd = file_of(data, size);
    source.initrd_fd = source.kernel_fd;
    if (boot_load(&source, board->board.memory, &entry, &err))
        must(entry.rsp != 0 && entry.rip <= UINT32_MAX);
    else
        must(entry.rsp == 0 && strlen(err.text) > 0);
    offer(&source, false, board);
    offer(&source, true, board);
    return 0;
}
