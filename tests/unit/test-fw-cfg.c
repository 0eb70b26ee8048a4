/* fw-cfg: what firmware reads of the machine, by port and by DMA, and what a hostile guest gets. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/firmware-settings.h"
#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/acpi-loader.h"
#include "qemu-kvm-backend/x86/e820.h"
#include "qemu-kvm-backend/x86/firmware.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/fw-cfg-guest.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB     ((uint64_t)1 << 20)
#define REQUEST 0x1000u /* where the tests leave their DMA requests in RAM ... */
#define BUFFER  0x2000u /* ... and what they get */

#define DMA_ERROR  1u
#define DMA_READ   2u
#define DMA_SKIP   4u
#define DMA_SELECT 8u
#define DMA_WRITE  16u

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
    FwCfg *cfg;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->test = test_board_new(NULL);
    f->test->board.memory = memory_new(16 * MIB, NULL);
    f->dev = test_board_add(f->test, &fw_cfg_class, NULL);
    f->cfg = f->test->board.fw_cfg;
    g_assert_nonnull(f->cfg);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    g_assert_null(f->test->board.fw_cfg);
    test_board_free(f->test);
}

/* The guest's side */

/* The answer in the request's control field. */
static uint32_t
dma(TestBoard *test, uint32_t control, uint32_t length, uint64_t address)
{
    uint32_t request[] = { GUINT32_TO_BE(control), GUINT32_TO_BE(length),
                           GUINT32_TO_BE(address >> 32), GUINT32_TO_BE((uint32_t)address) };
    uint32_t answer;

    g_assert_true(memory_write(test->board.memory, REQUEST, request, sizeof(request)));
    out32(test, 0x514, 0);
    out32(test, 0x518, GUINT32_SWAP_LE_BE(REQUEST));
    memory_read(test->board.memory, REQUEST, &answer, sizeof(answer));
    return GUINT32_FROM_BE(answer);
}

/* The interface */

static void
test_signature(Fixture *f, gconstpointer data)
{
    char signature[4];

    fw_cfg_guest_read(f->test, 0, signature, 4);
    g_assert_cmpmem(signature, 4, "QEMU", 4);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, 1, 4), ==, 3);
    g_assert_cmphex(in32(f->test, 0x514), ==, GUINT32_TO_LE(0x554d4551)); /* "QEMU" */
    g_assert_cmphex(in32(f->test, 0x518), ==, GUINT32_TO_LE(0x47464320)); /* " CFG" */
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_FILE_DIR, 4), ==, 0);
}

static void
test_ports(Fixture *f, gconstpointer data)
{
    fw_cfg_put(f->cfg, 5, "abcdef", 6);
    out16(f->test, 0x510, 5);
    g_assert_cmphex(in8(f->test, 0x511), ==, 'a');
    g_assert_cmphex(in16(f->test, 0x511), ==, 0xff00 | 'b'); /* the port is a byte wide */
    out8(f->test, 0x511, 'x');                               /* items are not for writing */
    g_assert_cmphex(in8(f->test, 0x511), ==, 'c');
    for (unsigned i = 0; i < 3; i++)
        in8(f->test, 0x511);
    g_assert_cmphex(in8(f->test, 0x511), ==, 0);
    out16(f->test, 0x510, 0x7777);
    g_assert_cmphex(in8(f->test, 0x511), ==, 0);
}

static void
test_dma(Fixture *f, gconstpointer data)
{
    Memory *memory = f->test->board.memory;
    const char *got = memory_at(memory, BUFFER, 16);

    fw_cfg_put(f->cfg, 5, "abcdef", 6);
    memset(memory_at(memory, BUFFER, 16), '.', 16);
    g_assert_cmphex(dma(f->test, 5u << 16 | DMA_SELECT | DMA_READ, 2, BUFFER), ==, 0);
    g_assert_cmpmem(got, 4, "ab..", 4);
    g_assert_cmphex(dma(f->test, DMA_SKIP, 1, 0), ==, 0);
    g_assert_cmphex(dma(f->test, DMA_READ, 8, BUFFER), ==, 0);
    g_assert_cmpmem(got, 9, "def\0\0\0\0\0.", 9);
    g_assert_cmphex(dma(f->test, DMA_SKIP, UINT32_MAX, 0), ==, 0);
    g_assert_cmphex(dma(f->test, DMA_READ, 1, BUFFER), ==, 0);
    g_assert_cmphex(got[0], ==, 0);
}

static void
test_bad_dma(Fixture *f, gconstpointer data)
{
    static const struct {
        uint32_t length;
        uint64_t address;
    } bad[] = {
        { 8, 16 * MIB },   { 8, 16 * MIB - 4 },   { UINT32_MAX, 0 },
        { 1, UINT64_MAX }, { 8, UINT64_MAX - 3 }, { 8 * MIB, 0x10000 },
    };

    fw_cfg_put(f->cfg, 5, "abcdef", 6);
    out16(f->test, 0x510, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmphex(dma(f->test, DMA_READ, bad[i].length, bad[i].address), ==, DMA_ERROR);
    g_assert_cmphex(dma(f->test, DMA_WRITE, 1, BUFFER), ==, DMA_ERROR);
    g_assert_cmphex(in8(f->test, 0x511), ==, 'a'); /* none of it has moved the position */
    /* The request itself is nowhere, or only partly: nothing to answer to. */
    out32(f->test, 0x514, GUINT32_SWAP_LE_BE(1));
    out32(f->test, 0x518, 0);
    out32(f->test, 0x518, GUINT32_SWAP_LE_BE((uint32_t)(16 * MIB - 8)));
}

/* A request over itself is harmless: it was copied before. */
static void
test_overlapping_dma(Fixture *f, gconstpointer data)
{
    g_autofree char *junk = g_strnfill(64, '\xff');

    fw_cfg_put(f->cfg, 5, junk, 64);
    out16(f->test, 0x510, 5);
    g_assert_cmphex(dma(f->test, DMA_READ, 64, REQUEST), ==, 0);
}

static void
test_fd(Fixture *f, gconstpointer data)
{
    int fd = memfd_create("kernel", MFD_CLOEXEC);
    char got[8];

    g_assert_cmpint(write(fd, "0123456789", 10), ==, 10);
    fw_cfg_put_fd(f->cfg, 0x11, fd, 4, 6);
    fw_cfg_guest_read(f->test, 0x11, got, 8);
    g_assert_cmpmem(got, 8, "456789\0\0", 8);
    g_assert_cmpint(ftruncate(fd, 6), ==, 0); /* somebody else's file gets shorter */
    fw_cfg_guest_read(f->test, 0x11, got, 4);
    g_assert_cmpmem(got, 4, "45\0\0", 4);
    close(fd);
}

static void
replace(void *data, FwCfg *cfg)
{
    ++*(unsigned *)data;
    g_assert_true(fw_cfg_replace_file(cfg, "a", "new", 3));
    g_assert_false(fw_cfg_replace_file(cfg, "a", "longer", 6));
}

static void
test_on_select(Fixture *f, gconstpointer data)
{
    unsigned n = 0;
    char got[4];

    fw_cfg_put_file(f->cfg, "a", "old!", 4);
    fw_cfg_put_file(f->cfg, "b", "b", 1);
    fw_cfg_on_select(f->cfg, "a", replace, &n);
    fw_cfg_guest_read(f->test, FW_CFG_FILE_FIRST + 1, got, 1);
    g_assert_cmpuint(n, ==, 0);
    fw_cfg_guest_read(f->test, FW_CFG_FILE_FIRST, got, 4);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpmem(got, 4, "new\0", 4);
}

/* The content */

static const uint32_t ids[] = { 0, 1, 4, 5 };
static const CpuTopology topology = {
    .n_vcpus = 4, .sockets = 2, .dies = 1, .cores = 2, .threads = 1
};

static void
describe_com1(void *data, Aml *aml)
{
    aml_open_device(aml, "COM1");
    aml_name_eisaid(aml, "_HID", "PNP0501");
    aml_close(aml);
}

static const AcpiConfig acpi = {
    .n_vcpus = 4, .apic_ids = ids, .describe = describe_com1, .sleep = { .to_mem = true }
};

static void
describe(Fixture *f, const FirmwareSettings *settings)
{
    FirmwareMachine machine = { .settings = settings,
                                .topology = &topology,
                                .apic_id_end = 6,
                                .memory = f->test->board.memory,
                                .acpi = &acpi,
                                .vmx = true };
    VmmError err;

    if (!firmware_describe(&machine, f->cfg, &err))
        g_error("%s", err.text);
}

static void
test_machine(Fixture *f, gconstpointer data)
{
    FirmwareSettings settings = { .boot_order = (char *)"/pci@i0cf8/scsi@3/disk@0,0\nHALT",
                                  .serial_port = 0x3f8,
                                  .menu_ms = 3000 };
    g_autoptr(GBytes) order = NULL, map = NULL, end = NULL, console = NULL, control = NULL;
    const uint8_t *first;
    uint8_t uuid[16];

    g_assert_true(firmware_parse_uuid("00112233-4455-6677-8899-aabbccddeeff", settings.uuid));
    describe(f, &settings);
    fw_cfg_guest_read(f->test, FW_CFG_UUID, uuid, 16);
    g_assert_cmpmem(uuid, 16, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
                    16);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_RAM_SIZE, 8), ==, 16 * MIB);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_NB_CPUS, 2), ==, 4);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_MAX_CPUS, 2), ==, 6);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_BOOT_MENU, 2), ==, 1);
    order = fw_cfg_guest_file(f->test, "bootorder");
    g_assert_cmpmem(g_bytes_get_data(order, NULL), g_bytes_get_size(order), settings.boot_order,
                    strlen(settings.boot_order) + 1);
    map = fw_cfg_guest_file(f->test, "etc/e820");
    first = g_bytes_get_data(map, NULL);
    g_assert_cmpuint(g_bytes_get_size(map), ==, 2 * 20);
    g_assert_cmpmem(first, 20, "\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\x01\0\0\0", 20);
    end = fw_cfg_guest_file(f->test, "etc/reserved-memory-end");
    g_assert_cmpmem(g_bytes_get_data(end, NULL), g_bytes_get_size(end), "\0\0\0\0\x01\0\0\0", 8);
    console = fw_cfg_guest_file(f->test, "etc/sercon-port");
    g_assert_cmpmem(g_bytes_get_data(console, NULL), g_bytes_get_size(console), "\xf8\x03", 2);
    control = fw_cfg_guest_file(f->test, "etc/msr_feature_control");
    g_assert_cmpmem(g_bytes_get_data(control, NULL), g_bytes_get_size(control),
                    "\x05\0\0\0\0\0\0\0", 8);
}

static void
test_quiet_machine(Fixture *f, gconstpointer data)
{
    static const char *const absent[] = { "bootorder", "etc/sercon-port", "etc/boot-menu-wait" };
    FirmwareSettings settings = { .menu_ms = 0 };
    uint16_t key;
    uint32_t size;

    describe(f, &settings);
    describe(f, &settings); /* as at a reset */
    for (size_t i = 0; i < G_N_ELEMENTS(absent); i++)
        g_assert_false(fw_cfg_guest_find(f->test, absent[i], &key, &size));
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_BOOT_MENU, 2), ==, 0);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_NOGRAPHIC, 2), ==, 0);
    g_assert_cmpuint(fw_cfg_guest_number(f->test, FW_CFG_KERNEL_SIZE, 4), ==, 0);
}

static uint8_t
sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    while (size-- > 0)
        total += *bytes++;
    return total;
}

/* The types of the structures, walked as a reader does. */
static GString *
smbios_types(const uint8_t *bytes, size_t size, unsigned *ret_n)
{
    GString *types = g_string_new(NULL);
    size_t at = 0;

    for (*ret_n = 0; at < size; ++*ret_n) {
        g_string_append_printf(types, "%u ", bytes[at]);
        at += bytes[at + 1];
        while (bytes[at] || bytes[at + 1])
            at++;
        at += 2;
    }
    g_assert_cmpuint(at, ==, size);
    return types;
}

static void
test_smbios(Fixture *f, gconstpointer data)
{
    FirmwareSettings settings = { .menu_ms = 0 };
    g_autoptr(GBytes) tables = NULL, anchor = NULL;
    g_autoptr(GString) types = NULL;
    const uint8_t *entry, *bytes;
    unsigned n;

    g_assert_true(firmware_parse_uuid("00112233-4455-6677-8899-aabbccddeeff", settings.uuid));
    describe(f, &settings);
    tables = fw_cfg_guest_file(f->test, "etc/smbios/smbios-tables");
    anchor = fw_cfg_guest_file(f->test, "etc/smbios/smbios-anchor");
    entry = g_bytes_get_data(anchor, NULL);
    bytes = g_bytes_get_data(tables, NULL);
    g_assert_cmpuint(g_bytes_get_size(anchor), ==, 31);
    g_assert_cmpuint(sum(entry, 31), ==, 0);
    g_assert_cmpuint(sum(entry + 16, 15), ==, 0);
    g_assert_cmpuint(entry[22] | entry[23] << 8, ==, g_bytes_get_size(tables));
    types = smbios_types(bytes, g_bytes_get_size(tables), &n);
    g_assert_cmpstr(types->str, ==, "1 3 4 4 16 17 19 32 127 ");
    g_assert_cmpuint(entry[28] | entry[29] << 8, ==, n);
    g_assert_cmpmem(bytes + 8, 16,
                    "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
}

/* String @number of the first structure of @type. */
static const char *
smbios_string(const uint8_t *bytes, unsigned type, unsigned number)
{
    const char *at;

    while (bytes[0] != type) {
        g_assert_cmpuint(bytes[0], !=, 127);
        bytes += bytes[1];
        while (bytes[0] || bytes[1])
            bytes++;
        bytes += 2;
    }
    for (at = (const char *)bytes + bytes[1]; --number > 0;)
        at += strlen(at) + 1;
    return at;
}

static VmmMsg *
settings_message(void)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    int fd = memfd_create("content", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, "by descriptor", 13), ==, 13);
    vmm_msg_put_string(msg, "smbios-bios-vendor", "a vendor");
    vmm_msg_put_string(msg, "smbios-bios-release", "4.2");
    vmm_msg_put_string(msg, "smbios-system-serial", "a serial number");
    vmm_msg_put_string(msg, "smbios-board-product", "a board");
    vmm_msg_put_string(msg, "smbios-chassis-manufacturer", "a maker");
    vmm_msg_put_string(msg, "smbios-oem-0", "one");
    vmm_msg_put_string(msg, "smbios-oem-1", "two");
    vmm_msg_put_string(msg, "fw-cfg-0-name", "opt/com.example/a");
    vmm_msg_put_string(msg, "fw-cfg-0-content", "by value");
    vmm_msg_put_string(msg, "fw-cfg-1-name", "opt/b");
    vmm_msg_put_fd(msg, "fw-cfg-1-fd", fd);
    vmm_msg_put_u64(msg, "reboot-timeout", 5000);
    return msg;
}

static void
assert_file(Fixture *f, const char *name, const char *wanted, size_t size)
{
    g_autoptr(GBytes) file = fw_cfg_guest_file(f->test, name);

    g_assert_cmpmem(g_bytes_get_data(file, NULL), g_bytes_get_size(file), wanted, size);
}

/* What its owner wants it to say, from the message to the tables. */
static void
test_words(Fixture *f, gconstpointer data)
{
    VmmMsg *msg = settings_message();
    FirmwareSettings settings = { .menu_ms = 0 };
    g_autoptr(GBytes) tables = NULL;
    g_autoptr(GString) types = NULL;
    const uint8_t *bytes;
    VmmError err;
    unsigned n;

    g_assert_true(firmware_settings_read(&settings, true, msg, &err));
    g_assert_null(vmm_msg_unread(msg));
    vmm_msg_free(msg);
    describe(f, &settings);
    describe(f, &settings); /* as at a reset */
    tables = fw_cfg_guest_file(f->test, "etc/smbios/smbios-tables");
    bytes = g_bytes_get_data(tables, NULL);
    types = smbios_types(bytes, g_bytes_get_size(tables), &n);
    g_assert_cmpstr(types->str, ==, "0 1 2 3 4 4 11 16 17 19 32 127 ");
    g_assert_cmpuint(bytes[20], ==, 4); /* the release */
    g_assert_cmpuint(bytes[21], ==, 2);
    g_assert_cmpstr(smbios_string(bytes, 0, 1), ==, "a vendor");
    g_assert_cmpstr(smbios_string(bytes, 1, 1), ==, "vmctl");
    g_assert_cmpstr(smbios_string(bytes, 1, 4), ==, "a serial number");
    g_assert_cmpstr(smbios_string(bytes, 2, 2), ==, "a board");
    g_assert_cmpstr(smbios_string(bytes, 3, 1), ==, "a maker");
    g_assert_cmpstr(smbios_string(bytes, 11, 2), ==, "two");
    assert_file(f, "opt/com.example/a", "by value", 8);
    assert_file(f, "opt/b", "by descriptor", 13);
    assert_file(f, "etc/boot-fail-wait", "\x88\x13\0\0", 4);
    assert_file(f, "etc/system-states", "\x80\0\0\x81\x02\x80", 6);
    firmware_settings_clear(&settings);
}

/* Files that are not the driver's to give. */
static void
test_bad_files(Fixture *f, gconstpointer data)
{
    static const char *const names[][2] = {
        { "etc/e820", NULL },
        { "bootorder", NULL },
        { "opt/1234567890123456789012345678901234567890123456789012", NULL },
        { "opt/a", "opt/a" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
        FirmwareSettings settings = { .menu_ms = 0 };
        VmmError err;

        vmm_msg_put_string(msg, "fw-cfg-0-name", names[i][0]);
        vmm_msg_put_string(msg, "fw-cfg-0-content", "x");
        if (names[i][1])
            vmm_msg_put_string(msg, "fw-cfg-1-name", names[i][1]);
        vmm_msg_put_string(msg, "fw-cfg-1-content", "x");
        g_assert_false(firmware_settings_read(&settings, true, msg, &err));
        firmware_settings_clear(&settings);
        vmm_msg_free(msg);
    }
}

/* A firmware's side of the table loader: everything is one file in RAM. */

typedef struct Placed {
    const char *name;
    uint64_t gpa;
    GBytes *content;
} Placed;

typedef struct Loader {
    TestBoard *test;
    Placed files[2];
    unsigned n;
} Loader;

static const Placed *
placed(const Loader *loader, const char *name)
{
    for (unsigned i = 0; i < loader->n; i++) {
        if (strcmp(loader->files[i].name, name) == 0)
            return &loader->files[i];
    }
    g_error("the file %s was not allocated", name);
}

static uint8_t *
at(const Loader *loader, const char *name, uint32_t offset, uint32_t size)
{
    const Placed *file = placed(loader, name);

    g_assert_cmpuint((uint64_t)offset + size, <=, g_bytes_get_size(file->content));
    return memory_at(loader->test->board.memory, file->gpa + offset, size);
}

static void
allocate(Loader *loader, const AcpiLoaderCommand *c, const uint64_t *places)
{
    Placed *file = &loader->files[loader->n];

    g_assert_cmpuint(loader->n, <, G_N_ELEMENTS(loader->files));
    g_assert_cmpuint(places[loader->n] % GUINT32_FROM_LE(c->allocate.align), ==, 0);
    file->name = c->allocate.file;
    file->gpa = places[loader->n++];
    file->content = fw_cfg_guest_file(loader->test, file->name);
    memory_write(loader->test->board.memory, file->gpa, g_bytes_get_data(file->content, NULL),
                 g_bytes_get_size(file->content));
}

static void
follow(Loader *loader, const AcpiLoaderCommand *c, const uint64_t *places)
{
    uint64_t value = 0;
    uint8_t *byte;

    switch (GUINT32_FROM_LE(c->command)) {
    case 0:
        break;
    case 1:
        allocate(loader, c, places);
        break;
    case 2:
        byte = at(loader, c->pointer.file, GUINT32_FROM_LE(c->pointer.offset), c->pointer.size);
        memcpy(&value, byte, c->pointer.size);
        g_assert_cmpuint(value, <, g_bytes_get_size(placed(loader, c->pointer.target)->content));
        value += placed(loader, c->pointer.target)->gpa;
        memcpy(byte, &value, c->pointer.size);
        break;
    case 3:
        byte = at(loader, c->checksum.file, GUINT32_FROM_LE(c->checksum.offset), 1);
        g_assert_cmpuint(*byte, ==, 0);
        *byte = -sum(at(loader, c->checksum.file, GUINT32_FROM_LE(c->checksum.start),
                        GUINT32_FROM_LE(c->checksum.length)),
                     GUINT32_FROM_LE(c->checksum.length));
        break;
    default:
        g_assert_not_reached();
    }
}

/* Places the root pointer and the tables where acpi_write() does: the same bytes come out. */
static void
test_loader(Fixture *f, gconstpointer data)
{
    static const uint64_t places[] = { LAYOUT_ACPI, LAYOUT_ACPI + ACPI_TABLES };
    FirmwareSettings settings = { .menu_ms = 0 };
    g_autoptr(GBytes) script = NULL;
    g_autofree uint8_t *by_loader = NULL;
    Loader loader = { .test = f->test };
    const AcpiLoaderCommand *commands;
    uint64_t rsdp;
    AcpiImage image;
    VmmError err;

    describe(f, &settings);
    script = fw_cfg_guest_file(f->test, "etc/table-loader");
    commands = g_bytes_get_data(script, NULL);
    g_assert_cmpuint(g_bytes_get_size(script) % 128, ==, 0);
    for (size_t i = 0; i < g_bytes_get_size(script) / 128; i++)
        follow(&loader, &commands[i], places);
    g_assert_cmpuint(loader.n, ==, 2);
    g_assert_true(acpi_build(&acpi, &image, &err));
    by_loader = g_memdup2(memory_at(f->test->board.memory, LAYOUT_ACPI, image.size), image.size);
    g_assert_true(acpi_write(&acpi, f->test->board.memory, &rsdp, &err));
    g_assert_cmpmem(by_loader, image.size, memory_at(f->test->board.memory, rsdp, image.size),
                    image.size);
    acpi_clear(&image);
    for (unsigned i = 0; i < loader.n; i++)
        g_bytes_unref(loader.files[i].content);
}

/* PCI's configuration space has appeared since: one table more, in files of the same sizes. */
static void
test_loader_refresh(Fixture *f, gconstpointer data)
{
    FirmwareSettings settings = { .menu_ms = 0 };
    AcpiConfig more = acpi;
    g_autoptr(GBytes) before = NULL, after = NULL;
    VmmError err;

    describe(f, &settings);
    before = fw_cfg_guest_file(f->test, "etc/acpi/tables");
    more.ecam_base = 0xb0000000;
    more.ecam_size = 0x10000000;
    g_assert_true(acpi_loader_refresh(&more, f->cfg, &err));
    after = fw_cfg_guest_file(f->test, "etc/acpi/tables");
    g_assert_cmpuint(g_bytes_get_size(before), ==, g_bytes_get_size(after));
    g_assert_null(memmem(g_bytes_get_data(before, NULL), g_bytes_get_size(before), "MCFG", 4));
    g_assert_nonnull(memmem(g_bytes_get_data(after, NULL), g_bytes_get_size(after), "MCFG", 4));
}

static void
test_uuid(void)
{
    uint8_t uuid[16] = { 42 };

    g_assert_false(firmware_parse_uuid("", uuid));
    g_assert_false(firmware_parse_uuid("00112233-4455-6677-8899-aabbccddeef", uuid));
    g_assert_false(firmware_parse_uuid("00112233-4455-6677-8899-aabbccddeeff0", uuid));
    g_assert_cmpuint(uuid[0], ==, 42);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/fw-cfg/signature", test_signature);
    ADD("/fw-cfg/ports", test_ports);
    ADD("/fw-cfg/dma", test_dma);
    ADD("/fw-cfg/bad-dma", test_bad_dma);
    ADD("/fw-cfg/overlapping-dma", test_overlapping_dma);
    ADD("/fw-cfg/fd", test_fd);
    ADD("/fw-cfg/on-select", test_on_select);
    ADD("/firmware/machine", test_machine);
    ADD("/firmware/quiet-machine", test_quiet_machine);
    ADD("/firmware/smbios", test_smbios);
    ADD("/firmware/words", test_words);
    ADD("/firmware/bad-files", test_bad_files);
    ADD("/firmware/loader", test_loader);
    ADD("/firmware/loader-refresh", test_loader_refresh);
    g_test_add_func("/firmware/uuid", test_uuid);
    return g_test_run();
}
