/* flash: where firmware is. A bank of code that ends at 4 GiB and is only read, and below it, where the
 * machine has one, a bank of variables: a flash chip with Intel's command set (Common Flash Interface,
 * JESD68; 28F128J3 datasheet, table 4), a byte wide, with blocks of 4 KiB.
 *
 * While a bank shows its content KVM serves reads of it; only commands come here. What is programmed is in
 * the file at once, and on its disk by the time the guest is paused, reset or gone. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/boot-file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOUR_GIB   0x100000000ull
#define SIZE_MAX_  (16ull << 20) /* of both banks: below are KVM's own pages */
#define BLOCK_SIZE 4096u
#define BUFFER_MAX 256u /* bytes of a buffered write */

#define SHADOW_SIZE 0x20000u /* the end of the code, for real mode, up to ... */
#define SHADOW_END  0x100000u

/* Commands */
#define CMD_ERASE        0x20u
#define CMD_PROGRAM      0x10u
#define CMD_PROGRAM_TOO  0x40u
#define CMD_CLEAR_STATUS 0x50u
#define CMD_LOCK         0x60u
#define CMD_READ_STATUS  0x70u
#define CMD_READ_ID      0x90u
#define CMD_READ_QUERY   0x98u
#define CMD_CONFIRM      0xd0u
#define CMD_WRITE_BUFFER 0xe8u
#define CMD_READ_ARRAY   0xffu

#define STATUS_READY         0x80u
#define STATUS_ERASE_ERROR   0x20u
#define STATUS_PROGRAM_ERROR 0x10u

#define ID_MANUFACTURER 0x89u /* Intel */
#define ID_DEVICE       0x18u

typedef enum FlashMode {
    MODE_ARRAY, /* the content; the only one that KVM reads by itself */
    MODE_STATUS,
    MODE_ID,
    MODE_QUERY,
} FlashMode;

/* What the next write is. */
typedef enum FlashNext {
    NEXT_COMMAND,
    NEXT_DATA,  /* of a program command */
    NEXT_ERASE, /* the confirmation */
    NEXT_LOCK,  /* which lock command: there are no locks */
    NEXT_COUNT, /* of a buffered write, less one */
    NEXT_BUFFER,
    NEXT_FLUSH, /* the confirmation of a buffered write */
} FlashNext;

typedef struct Flash {
    Device dev;
    uint8_t *code;
    uint64_t code_size;

    int fd; /* of the variables; -1: there are none */
    uint8_t *vars;
    uint64_t vars_size;
    uint64_t vars_base;
    bool dirty; /* written, and not yet synced */
    int lost;   /* errno: the host's cache and the file differ for good */
    FlashMode mode;
    FlashNext next;
    uint8_t status;
    uint64_t buffer_base; /* the block that the buffered write is in */
    unsigned n_wanted;    /* bytes that are still to come */
    unsigned n_buffered;
    struct {
        uint32_t offset;
        uint8_t value;
    } buffer[BUFFER_MAX];
} Flash;

/* What a query reads, by its offset (JESD68, "CFI Query Identification String" and on): "QRY", Intel's
 * command set, voltages and times of no consequence, size, width, buffer, one erase region. */
static uint8_t
query(const Flash *flash, uint64_t offset)
{
    const unsigned n_blocks = flash->vars_size / BLOCK_SIZE - 1;
    const uint8_t table[] = {
        'Q',
        'R',
        'Y',
        1,
        0,
        0x31,
        0,
        0,
        0,
        0,
        0,
        0x45,
        0x55,
        0,
        0,
        7,
        7,
        10,
        0,
        4,
        4,
        4,
        0,
        63 - __builtin_clzll(flash->vars_size),
        2,
        0,
        8,
        0,
        1,
        n_blocks & 0xff,
        n_blocks >> 8,
        BLOCK_SIZE / 256 & 0xff,
        BLOCK_SIZE / 256 >> 8,
    };

    return offset >= 0x10 && offset - 0x10 < sizeof(table) ? table[offset - 0x10] : 0;
}

static uint8_t
identity(uint64_t offset)
{
    switch (offset % BLOCK_SIZE) {
    case 0:
        return ID_MANUFACTURER;
    case 1:
        return ID_DEVICE;
    default:
        return 0;
    }
}

static bool
show(Flash *flash, const void *host, uint64_t base, uint64_t size)
{
    Board *board = flash->dev.board;

    return board->map_rom(board, base, host, size);
}

/* Reads come here wherever KVM does not serve them, so that a host which refuses is only slow. */
static void
enter(Flash *flash, FlashMode mode)
{
    Board *board = flash->dev.board;

    flash->next = NEXT_COMMAND;
    if (mode == flash->mode)
        return;
    if (flash->mode == MODE_ARRAY)
        board->unmap_rom(board, flash->vars_base);
    flash->mode = mode;
    if (mode == MODE_ARRAY && !show(flash, flash->vars, flash->vars_base, flash->vars_size))
        log_guest("KVM does not map the firmware's variables: %s", strerrordesc_np(errno));
}

/* The file first: what the guest reads is what there will be the next time. */
static bool
store(Flash *flash, uint64_t offset, const uint8_t *from, size_t size)
{
    size_t done = 0;

    flash->dirty = true;
    while (done < size) {
        ssize_t n = pwrite(flash->fd, from + done, size - done, offset + done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log_guest("The firmware's variables cannot be written: %s", strerrordesc_np(errno));
            return false;
        }
        memcpy(flash->vars + offset + done, from + done, n);
        done += n;
    }
    return true;
}

/* Programming turns ones into zeroes; only erasing brings ones back. */
static void
program(Flash *flash, uint64_t offset, unsigned size, uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = flash->vars[offset + i] & (uint8_t)(value >> (8 * i));
    if (!store(flash, offset, bytes, size))
        flash->status |= STATUS_PROGRAM_ERROR;
}

static void
erase(Flash *flash, uint64_t offset)
{
    uint8_t ones[BLOCK_SIZE];

    memset(ones, 0xff, sizeof(ones));
    if (!store(flash, offset / BLOCK_SIZE * BLOCK_SIZE, ones, sizeof(ones)))
        flash->status |= STATUS_ERASE_ERROR;
}

/* A byte for another block than the first one is lost, and said to be so. */
static void
buffer_byte(Flash *flash, uint64_t offset, uint8_t value)
{
    if (flash->n_buffered == 0)
        flash->buffer_base = offset / BLOCK_SIZE;
    if (offset / BLOCK_SIZE != flash->buffer_base) {
        flash->status |= STATUS_PROGRAM_ERROR;
    } else {
        flash->buffer[flash->n_buffered].offset = offset;
        flash->buffer[flash->n_buffered++].value = value;
    }
    if (--flash->n_wanted == 0)
        flash->next = NEXT_FLUSH;
}

static void
flush_buffer(Flash *flash)
{
    for (unsigned i = 0; i < flash->n_buffered; i++)
        program(flash, flash->buffer[i].offset, 1, flash->buffer[i].value);
}

/* Two wrong steps in a row are what a chip calls an improper sequence. */
static void
confuse(Flash *flash)
{
    flash->status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
}

static void
begin(Flash *flash, FlashNext next)
{
    enter(flash, MODE_STATUS);
    flash->status |= STATUS_READY;
    flash->next = next;
}

static void
obey(Flash *flash, uint8_t command)
{
    switch (command) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_TOO:
        begin(flash, NEXT_DATA);
        break;
    case CMD_ERASE:
        begin(flash, NEXT_ERASE);
        break;
    case CMD_LOCK:
        begin(flash, NEXT_LOCK);
        break;
    case CMD_WRITE_BUFFER:
        begin(flash, NEXT_COUNT);
        break;
    case CMD_READ_STATUS:
        enter(flash, MODE_STATUS);
        break;
    case CMD_READ_ID:
        enter(flash, MODE_ID);
        break;
    case CMD_READ_QUERY:
        enter(flash, MODE_QUERY);
        break;
    case CMD_CLEAR_STATUS: /* of all, as OVMF wants it: it takes what then reads otherwise for no flash at all */
        flash->status = 0;
        enter(flash, MODE_ARRAY);
        break;
    default: /* CMD_READ_ARRAY, and what is no command */
        enter(flash, MODE_ARRAY);
    }
}

static void
go_on(Flash *flash, uint64_t offset, unsigned size, uint64_t value)
{
    FlashNext next = flash->next;

    flash->next = NEXT_COMMAND;
    switch (next) {
    case NEXT_COMMAND:
        obey(flash, value);
        break;
    case NEXT_DATA:
        program(flash, offset, size, value);
        break;
    case NEXT_ERASE:
        if ((uint8_t)value == CMD_CONFIRM)
            erase(flash, offset);
        else
            confuse(flash);
        break;
    case NEXT_LOCK:
        break;
    case NEXT_COUNT:
        flash->n_wanted = (uint8_t)value + 1u;
        flash->n_buffered = 0;
        flash->next = NEXT_BUFFER;
        break;
    case NEXT_BUFFER:
        flash->next = NEXT_BUFFER;
        for (unsigned i = 0; i < size && flash->next == NEXT_BUFFER; i++)
            buffer_byte(flash, offset + i, value >> (8 * i));
        break;
    case NEXT_FLUSH:
        if ((uint8_t)value == CMD_CONFIRM)
            flush_buffer(flash);
        else
            confuse(flash);
        break;
    }
}

static void
vars_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    go_on((Flash *)dev, offset, size, value);
}

static uint8_t
read_byte(const Flash *flash, uint64_t offset)
{
    switch (flash->mode) {
    case MODE_STATUS:
        return flash->status;
    case MODE_ID:
        return identity(offset);
    case MODE_QUERY:
        return query(flash, offset);
    default:
        return flash->vars[offset];
    }
}

static uint64_t
vars_read(Device *dev, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_byte((Flash *)dev, offset + i) << (8 * i);
    return value;
}

static uint64_t
code_read(Device *dev, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, ((Flash *)dev)->code + offset, size);
    return value;
}

static const BusOps code_ops = { code_read, NULL, false };
static const BusOps vars_ops = { vars_read, vars_write, false };

/* Building */

static bool
bank_size(int fd, const char *what, uint64_t *ret, VmmError *err)
{
    if (!boot_file_size(fd, what, ret, err))
        return false;
    if (*ret == 0 || *ret % BLOCK_SIZE || *ret > SIZE_MAX_)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The %s's %" PRIu64 " bytes are not a multiple of %u up to 16 MiB", what,
                         *ret, BLOCK_SIZE);
    return true;
}

/* The code is the file's, so that guests with the same firmware share it. */
static bool
map_code(Flash *flash, VmmMsg *params, VmmError *err)
{
    int fd;

    if (!vmm_msg_take_fd(params, "firmware", &fd))
        return vmm_error(err, VMM_ERROR_INVALID, "create: the descriptor 'firmware' is missing");
    if (bank_size(fd, "firmware", &flash->code_size, err)) {
        void *map = mmap(NULL, flash->code_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (map != MAP_FAILED)
            flash->code = map;
        else
            vmm_error_errno(err, "The firmware cannot be mapped");
    }
    close(fd);
    return flash->code != NULL;
}

static bool
read_vars(Flash *flash, VmmError *err)
{
    void *map;

    if (!bank_size(flash->fd, "firmware's variable store", &flash->vars_size, err))
        return false;
    if (flash->vars_size + flash->code_size > SIZE_MAX_)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The firmware and its variables have more than 16 MiB");
    map = mmap(NULL, flash->vars_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return vmm_error_errno(err, "There is no memory for the firmware's variables");
    flash->vars = map;
    flash->vars_base = FOUR_GIB - flash->code_size - flash->vars_size;
    flash->status = STATUS_READY;
    return boot_file_read(flash->fd, 0, flash->vars, flash->vars_size) ||
           vmm_error_errno(err, "The firmware's variable store cannot be read");
}

static bool
plug_bank(Flash *flash, const void *host, uint64_t base, uint64_t size, const BusOps *ops,
          VmmError *err)
{
    Device *dev = &flash->dev;

    if (!device_claim(dev, dev->board->mmio, base, size, ops, err))
        return false;
    return show(flash, host, base, size) || vmm_error_errno(err, "KVM does not map the firmware");
}

static bool
flash_create(Device *dev, VmmMsg *params, VmmError *err)
{
    Flash *flash = (Flash *)dev;

    flash->fd = -1;
    if (!map_code(flash, params, err) || !plug_bank(flash, flash->code, FOUR_GIB - flash->code_size,
                                                    flash->code_size, &code_ops, err))
        return false;
    if (!vmm_msg_take_fd(params, "nvram", &flash->fd))
        return true;
    return read_vars(flash, err) &&
           plug_bank(flash, flash->vars, flash->vars_base, flash->vars_size, &vars_ops, err);
}

/* After a failure the next call would succeed and mean nothing: see flushed() in block/raw.c. */
static void
sync_vars(Device *dev)
{
    Flash *flash = (Flash *)dev;

    if (flash->dirty && fdatasync(flash->fd) < 0) {
        flash->lost = errno;
        log_line("The firmware's variables may not be on disk: %s", strerrordesc_np(errno));
    }
    flash->dirty = false;
}

static bool
flash_flush(Device *dev, VmmError *err)
{
    sync_vars(dev);
    errno = ((Flash *)dev)->lost;
    return errno == 0 ||
           vmm_error_errno(err, "The firmware's variables cannot be brought to their file");
}

/* A chipset shows the end of the code below 1 MiB, read-only, until firmware copies it to the RAM
 * behind it (PAM). Here it has been copied already, and is RAM from the start. */
static void
put_shadow(const Flash *flash)
{
    uint32_t size = flash->code_size < SHADOW_SIZE ? flash->code_size : SHADOW_SIZE;

    memory_write(flash->dev.board->memory, SHADOW_END - size, flash->code + flash->code_size - size,
                 size);
}

/* What a BIOS keeps in its RAM below 1 MiB is how it knows, when the machine wakes, that it has run. */
static void
flash_wake(Device *dev)
{
    Flash *flash = (Flash *)dev;

    if (flash->fd < 0)
        return;
    sync_vars(dev);
    flash->status = STATUS_READY;
    enter(flash, MODE_ARRAY);
}

static void
flash_reset(Device *dev)
{
    put_shadow((Flash *)dev);
    flash_wake(dev);
}

static void
flash_destroy(Device *dev)
{
    Flash *flash = (Flash *)dev;
    Board *board = dev->board;

    if (flash->code) {
        board->unmap_rom(board, FOUR_GIB - flash->code_size);
        munmap(flash->code, flash->code_size);
    }
    if (flash->vars) {
        if (flash->mode == MODE_ARRAY)
            board->unmap_rom(board, flash->vars_base);
        munmap(flash->vars, flash->vars_size);
    }
    if (flash->fd >= 0) {
        sync_vars(dev);
        close(flash->fd);
    }
}

/* The content is the file's, as a disk's is. What is on its way to it is a command and a buffered write. */

static uint64_t
get_mode(const void *object)
{
    return ((const Flash *)object)->mode;
}

static bool
set_mode(void *object, uint64_t value)
{
    Flash *flash = object;

    if (value > MODE_QUERY)
        return false;
    if (flash->fd >= 0)
        enter(flash, value);
    return true;
}

static bool
flash_loaded(void *object, VmmError *err)
{
    Flash *flash = object;

    if (flash->fd < 0 && flash->next != NEXT_COMMAND)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved guest had variables of its firmware, this one has none");
    for (unsigned i = 0; i < flash->n_buffered; i++) {
        if (flash->buffer[i].offset >= flash->vars_size)
            return vmm_error(err, VMM_ERROR_INVALID,
                             "The saved flash was about to be written where it has no end");
    }
    return (flash->n_buffered + flash->n_wanted <= BUFFER_MAX &&
            (flash->next != NEXT_BUFFER || flash->n_wanted > 0)) ||
           vmm_error(err, VMM_ERROR_INVALID,
                     "The saved flash was in the middle of a write that makes no sense");
}

static const StateField flash_fields[] = {
    STATE_VALUE("mode", get_mode, set_mode),
    STATE_NUMBER_MAX(Flash, next, NEXT_FLUSH),
    STATE_NUMBER(Flash, status),
    STATE_NUMBER(Flash, buffer_base),
    STATE_NUMBER_MAX(Flash, n_wanted, BUFFER_MAX),
    STATE_NUMBER_MAX(Flash, n_buffered, BUFFER_MAX),
    STATE_BYTES(Flash, buffer),
    STATE_END,
};

static const StateTable flash_state = { .version = 1,
                                        .fields = flash_fields,
                                        .loaded = flash_loaded };

const DeviceClass flash_class = {
    .name = "flash",
    .size = sizeof(Flash),
    .create = flash_create,
    .reset = flash_reset,
    .wake = flash_wake,
    .pause = sync_vars,
    .flush = flash_flush,
    .state = &flash_state,
    .destroy = flash_destroy,
};
