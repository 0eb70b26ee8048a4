/* Fuzz target: a guest that does anything to fw-cfg, by port and by DMA, to the flash, and to firmware's debug
 * port.
 *
 * The input is a row of steps of eight bytes: what, a size, a place of two bytes, a value of four. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY    (2u << 20)
#define FOUR_GIB  0x100000000ull
#define CODE_SIZE 0x2000u
#define VARS_SIZE 0x3000u
#define FLASH     (FOUR_GIB - CODE_SIZE - VARS_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Step {
    uint8_t what;
    uint8_t size;
    uint16_t place;
    uint32_t value;
} Step;

static int
new_file(size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    return fd;
}

/* A request in RAM, or anywhere. */
static void
request_dma(TestBoard *test, const Step *step)
{
    uint32_t request[] = { GUINT32_TO_BE(step->value), GUINT32_TO_BE(step->size * 0x10001u),
                           GUINT32_TO_BE(step->place >> 12), GUINT32_TO_BE(step->place << 9) };

    memory_write(test->board.memory, 0x1000, request, sizeof(request));
    out32(test, 0x514, GUINT32_SWAP_LE_BE(step->what & 1));
    out32(test, 0x518, GUINT32_SWAP_LE_BE(step->what & 2 ? 0x1000 : step->value));
}

static void
take_step(TestBoard *test, Device **devices, unsigned n, const Step *step)
{
    unsigned size = 1u << step->size % 4;
    uint64_t flash = FLASH + step->place % (CODE_SIZE + VARS_SIZE);

    switch (step->what % 8) {
    case 0:
        mmio_read(test, flash, size);
        break;
    case 1:
    case 2:
        mmio_write(test, flash, size, step->value);
        break;
    case 3:
        bus_write(test->board.pio, 0x50e + step->place % 16, &step->value, size % 8);
        break;
    case 4:
        bus_read(test->board.pio, 0x50e + step->place % 16, &(uint64_t){ 0 }, size);
        break;
    case 5:
        out8(test, 0x402, step->value);
        break;
    case 6:
        request_dma(test, step);
        break;
    case 7:
        for (unsigned i = 0; step->what >= 0xf0 && i < n; i++)
            devices[i]->class->reset(devices[i]);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TestBoard *test = test_board_new(NULL);
    VmmMsg *files = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    int fd = new_file(5000);
    Device *devices[3];

    test->board.memory = memory_new(MEMORY, NULL);
    vmm_msg_put_fd(files, "firmware", new_file(CODE_SIZE));
    vmm_msg_put_fd(files, "nvram", new_file(VARS_SIZE));
    devices[0] = test_board_add(test, &flash_class, files);
    devices[1] = test_board_add(test, &fw_cfg_class, NULL);
    devices[2] = test_board_add(test, &debug_console_class, NULL);
    fw_cfg_put_file(test->board.fw_cfg, "etc/a", "abcdefgh", 8);
    fw_cfg_put_fd(test->board.fw_cfg, 0x11, fd, 1000, 5000);
    for (size_t at = 0; at + sizeof(Step) <= size && at < 8000; at += sizeof(Step)) {
        Step step;

        memcpy(&step, data + at, sizeof(step));
        take_step(test, devices, G_N_ELEMENTS(devices), &step);
    }
    for (unsigned i = G_N_ELEMENTS(devices); i > 0; i--)
        device_free(devices[i - 1]);
    close(fd);
    test_board_free(test);
    return 0;
}
