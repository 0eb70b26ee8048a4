/* fw-cfg: the device behind hw/fw-cfg.h. A selector and a data port, and a second way by which the guest
 * names a piece of its RAM to be filled (QEMU's docs/specs/fw_cfg.rst, "Guest-side DMA Interface"). */
#include "qemu-kvm-backend/hw/fw-cfg.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_SELECTOR 0x510u
#define PORT_DATA     0x511u
#define PORT_DMA      0x514u /* eight bytes, big-endian */

#define ID_PORTS 1u
#define ID_DMA   2u

#define SIGNATURE     "QEMU"
#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

#define DMA_ERROR  0x01u
#define DMA_READ   0x02u
#define DMA_SKIP   0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE  0x10u

/* Zeroes that one request may ask for behind the end of an item; firmware asks for a few bytes. */
#define ZEROES_MAX (1u << 20)

/* What one request may read of a file: a vCPU that is to stop is not kept longer. */
#define READ_AT_ONCE (1u << 20)

typedef struct Item {
    uint16_t key;
    uint32_t size;
    uint8_t *data; /* NULL: in the file */
    int fd;
    uint64_t fd_offset;
} Item;

/* An entry of the directory as it is in FW_CFG_FILE_DIR, big-endian. */
typedef struct __attribute__((packed)) FileEntry {
    uint32_t size;
    uint16_t key;
    uint16_t reserved;
    char name[FW_CFG_NAME_MAX];
} FileEntry;

typedef struct __attribute__((packed)) Directory {
    uint32_t n;
    FileEntry files[FW_CFG_FILES_MAX];
} Directory;

/* What the guest leaves in its RAM, big-endian. */
typedef struct __attribute__((packed)) DmaRequest {
    uint32_t control;
    uint32_t length;
    uint64_t address;
} DmaRequest;

struct FwCfg {
    Device dev;
    Item *items;
    size_t n_items;
    Directory directory;
    uint16_t selected;   /* which nothing may have */
    uint64_t position;   /* in it; may be behind its end */
    uint16_t before_key; /* the item whose selection calls @before; 0: none */
    FwCfgBefore before;
    void *before_data;
    uint32_t dma_high; /* the upper half of a request's address, until the lower one comes */
};

static const Item *
find(const FwCfg *cfg, uint16_t key)
{
    for (size_t i = 0; i < cfg->n_items; i++) {
        if (cfg->items[i].key == key)
            return &cfg->items[i];
    }
    return NULL;
}

static uint64_t
left(const FwCfg *cfg, const Item *item)
{
    return item && cfg->position < item->size ? item->size - cfg->position : 0;
}

static void
select_item(FwCfg *cfg, uint16_t key)
{
    if (cfg->before && key == cfg->before_key)
        cfg->before(cfg->before_data, cfg);
    cfg->selected = key;
    cfg->position = 0;
}

/* Reads from the file that an item is in. It has been cut short: zeroes. */
static void
read_file(const Item *item, uint64_t position, uint8_t *to, size_t size)
{
    while (size > 0) {
        ssize_t n = pread(item->fd, to, size, item->fd_offset + position);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        to += n;
        position += n;
        size -= n;
    }
    memset(to, 0, size);
}

/* The next @size bytes; behind the end there are zeroes. */
static void
take(FwCfg *cfg, uint8_t *to, size_t size)
{
    const Item *item = find(cfg, cfg->selected);
    uint64_t there = left(cfg, item);
    size_t n = size < there ? size : there;

    if (n > 0 && item->data)
        memcpy(to, item->data + cfg->position, n);
    else if (n > 0)
        read_file(item, cfg->position, to, n);
    memset(to + n, 0, size - n);
    cfg->position += size;
}

static bool
transfer(FwCfg *cfg, const DmaRequest *request)
{
    uint8_t *to = memory_at(cfg->dev.board->memory, request->address, request->length);
    uint64_t there = left(cfg, find(cfg, cfg->selected));

    if (!to || request->length > there + ZEROES_MAX)
        return false;
    for (uint32_t done = 0; done < request->length;) {
        uint32_t n = request->length - done;

        n = n < READ_AT_ONCE ? n : READ_AT_ONCE;
        take(cfg, to + done, n);
        done += n;
    }
    memory_mark(cfg->dev.board->memory, to, request->length);
    return true;
}

/* Items are not for writing, so that is refused as a whole. */
static bool
obey(FwCfg *cfg, const DmaRequest *request)
{
    if (request->control & DMA_SELECT)
        select_item(cfg, request->control >> 16);
    if (request->control & DMA_READ)
        return transfer(cfg, request);
    if (request->control & DMA_WRITE)
        return false;
    if (request->control & DMA_SKIP)
        cfg->position += request->length;
    return true;
}

/* The request is copied once; the answer goes where its control field was. */
static void
serve_dma(FwCfg *cfg, uint64_t gpa)
{
    Memory *memory = cfg->dev.board->memory;
    DmaRequest raw, request;
    uint32_t answer;

    if (!memory_read(memory, gpa, &raw, sizeof(raw))) {
        log_guest("The guest's firmware request is not in its RAM");
        return;
    }
    request = (DmaRequest){ be32toh(raw.control), be32toh(raw.length), be64toh(raw.address) };
    answer = obey(cfg, &request) ? 0 : htobe32(DMA_ERROR);
    memory_write(memory, gpa, &answer, sizeof(answer));
}

/* Ports */

static void
selector_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    if (size <= 2)
        select_item((FwCfg *)dev, value & (size == 1 ? 0xff : 0xffff));
}

/* A byte at a time; writing items is a thing of the past. */
static uint64_t
data_read(Device *dev, uint64_t offset, unsigned size)
{
    uint8_t byte;

    take((FwCfg *)dev, &byte, 1);
    return byte;
}

/* Reads as the bytes of the signature, which begin with its first letter. */
static uint64_t
dma_read(Device *dev, uint64_t offset, unsigned size)
{
    uint64_t value = htobe64(DMA_SIGNATURE);

    return le64toh(value) >> (8 * offset);
}

/* The lower half starts the transfer. */
static void
dma_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    FwCfg *cfg = (FwCfg *)dev;

    if (size == 4 && offset == 0) {
        cfg->dma_high = __builtin_bswap32(value);
    } else if (size == 4 && offset == 4) {
        uint64_t gpa = (uint64_t)cfg->dma_high << 32 | __builtin_bswap32(value);

        cfg->dma_high = 0;
        serve_dma(cfg, gpa);
    } else if (size == 8) {
        serve_dma(cfg, __builtin_bswap64(value));
    }
}

/* One port, and wide: a 16-bit write to the selector is whole, although the data port is next to it. */
static const BusOps selector_ops = { NULL, selector_write, true };
static const BusOps data_ops = { data_read, NULL, false };
static const BusOps dma_ops = { dma_read, dma_write, false };

/* Filling */

static Item *
add(FwCfg *cfg, uint16_t key, uint32_t size)
{
    Item *item;

    assert(!find(cfg, key));
    cfg->items = vmm_must(realloc(cfg->items, (cfg->n_items + 1) * sizeof(Item)));
    item = &cfg->items[cfg->n_items++];
    *item = (Item){ .key = key, .size = size, .fd = -1 };
    return item;
}

void
fw_cfg_put(FwCfg *cfg, uint16_t key, const void *data, size_t size)
{
    Item *item = add(cfg, key, size);

    item->data = vmm_must(malloc(size + 1)); /* never of size 0, which may be NULL */
    if (size > 0)
        memcpy(item->data, data, size);
}

void
fw_cfg_put_u16(FwCfg *cfg, uint16_t key, uint16_t value)
{
    value = htole16(value);
    fw_cfg_put(cfg, key, &value, sizeof(value));
}

void
fw_cfg_put_u32(FwCfg *cfg, uint16_t key, uint32_t value)
{
    value = htole32(value);
    fw_cfg_put(cfg, key, &value, sizeof(value));
}

void
fw_cfg_put_u64(FwCfg *cfg, uint16_t key, uint64_t value)
{
    value = htole64(value);
    fw_cfg_put(cfg, key, &value, sizeof(value));
}

void
fw_cfg_put_fd(FwCfg *cfg, uint16_t key, int fd, uint64_t offset, uint32_t size)
{
    Item *item = add(cfg, key, size);

    item->fd = fd;
    item->fd_offset = offset;
}

/* The directory is an item like any other, but it grows. */
static void
write_directory(FwCfg *cfg)
{
    Item *item = (Item *)find(cfg, FW_CFG_FILE_DIR);

    if (!item) {
        fw_cfg_put(cfg, FW_CFG_FILE_DIR, &cfg->directory, sizeof(cfg->directory));
        item = (Item *)find(cfg, FW_CFG_FILE_DIR);
    }
    memcpy(item->data, &cfg->directory, sizeof(cfg->directory));
    item->size = sizeof(uint32_t) + be32toh(cfg->directory.n) * sizeof(FileEntry);
}

void
fw_cfg_put_file(FwCfg *cfg, const char *name, const void *data, size_t size)
{
    uint32_t n = be32toh(cfg->directory.n);
    FileEntry *entry = &cfg->directory.files[n];

    assert(n < FW_CFG_FILES_MAX && strlen(name) < sizeof(entry->name));
    entry->size = htobe32(size);
    entry->key = htobe16(FW_CFG_FILE_FIRST + n);
    memcpy(entry->name, name, strlen(name) + 1);
    cfg->directory.n = htobe32(n + 1);
    fw_cfg_put(cfg, FW_CFG_FILE_FIRST + n, data, size);
    write_directory(cfg);
}

static Item *
find_file(FwCfg *cfg, const char *name)
{
    for (uint32_t i = 0; i < be32toh(cfg->directory.n); i++) {
        if (strcmp(cfg->directory.files[i].name, name) == 0)
            return (Item *)find(cfg, FW_CFG_FILE_FIRST + i);
    }
    assert(!"no such file");
    return NULL;
}

bool
fw_cfg_replace_file(FwCfg *cfg, const char *name, const void *data, size_t size)
{
    Item *item = find_file(cfg, name);

    if (size > item->size)
        return false;
    memcpy(item->data, data, size);
    memset(item->data + size, 0, item->size - size);
    return true;
}

void
fw_cfg_on_select(FwCfg *cfg, const char *name, FwCfgBefore before, void *data)
{
    cfg->before_key = find_file(cfg, name)->key;
    cfg->before = before;
    cfg->before_data = data;
}

static void
drop_items(FwCfg *cfg)
{
    for (size_t i = 0; i < cfg->n_items; i++)
        free(cfg->items[i].data);
    free(cfg->items);
    cfg->items = NULL;
    cfg->n_items = 0;
    cfg->selected = FW_CFG_SIGNATURE;
    cfg->position = 0;
    cfg->before = NULL;
}

void
fw_cfg_clear(FwCfg *cfg)
{
    drop_items(cfg);
    memset(&cfg->directory, 0, sizeof(cfg->directory));
    fw_cfg_put(cfg, FW_CFG_SIGNATURE, SIGNATURE, strlen(SIGNATURE));
    fw_cfg_put_u32(cfg, FW_CFG_ID, ID_PORTS | ID_DMA);
    write_directory(cfg);
}

static bool
fw_cfg_create(Device *dev, VmmMsg *params, VmmError *err)
{
    Bus *pio = dev->board->pio;

    dev->board->fw_cfg = (FwCfg *)dev;
    fw_cfg_clear(dev->board->fw_cfg);
    return device_claim(dev, pio, PORT_SELECTOR, 1, &selector_ops, err) &&
           device_claim(dev, pio, PORT_DATA, 1, &data_ops, err) &&
           device_claim(dev, pio, PORT_DMA, 8, &dma_ops, err);
}

static void
fw_cfg_reset(Device *dev)
{
    FwCfg *cfg = (FwCfg *)dev;

    cfg->dma_high = 0;
    select_item(cfg, FW_CFG_SIGNATURE);
}

/* QEMU's name, which Linux' qemu_fw_cfg driver binds to. */
static void
fw_cfg_describe(Device *dev, Aml *aml)
{
    aml_open_device(aml, "FWCF");
    aml_name_string(aml, "_HID", "QEMU0002");
    aml_name_integer(aml, "_STA", 0x0b);
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, PORT_SELECTOR, 12);
    aml_close(aml);
    aml_close(aml);
}

static void
fw_cfg_destroy(Device *dev)
{
    drop_items((FwCfg *)dev);
    dev->board->fw_cfg = NULL;
}

/* The items are made anew of the machine's configuration; this is where the guest was in them. */
static const StateField fw_cfg_fields[] = {
    STATE_NUMBER(FwCfg, selected),
    STATE_NUMBER(FwCfg, position),
    STATE_NUMBER(FwCfg, dma_high),
    STATE_END,
};

static const StateTable fw_cfg_state = { .version = 1, .fields = fw_cfg_fields };

const DeviceClass fw_cfg_class = {
    .name = "fw-cfg",
    .size = sizeof(FwCfg),
    .create = fw_cfg_create,
    .reset = fw_cfg_reset,
    .describe = fw_cfg_describe,
    .state = &fw_cfg_state,
    .destroy = fw_cfg_destroy,
};
