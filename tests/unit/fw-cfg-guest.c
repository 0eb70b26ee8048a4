#include "tests/unit/fw-cfg-guest.h"

#include "qemu-kvm-backend/hw/fw-cfg.h"

#include <string.h>

#define PORT_SELECTOR 0x510u
#define PORT_DATA     0x511u

void
fw_cfg_guest_read(TestBoard *test, uint16_t key, void *to, size_t size)
{
    out16(test, PORT_SELECTOR, key);
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = in8(test, PORT_DATA);
}

bool
fw_cfg_guest_find(TestBoard *test, const char *name, uint16_t *ret_key, uint32_t *ret_size)
{
    uint32_t n;

    fw_cfg_guest_read(test, FW_CFG_FILE_DIR, &n, sizeof(n));
    for (n = GUINT32_FROM_BE(n); n > 0; n--) {
        struct __attribute__((packed)) {
            uint32_t size;
            uint16_t key, reserved;
            char name[56];
        } entry;

        for (size_t i = 0; i < sizeof(entry); i++)
            ((uint8_t *)&entry)[i] = in8(test, PORT_DATA);
        if (strcmp(entry.name, name) == 0) {
            *ret_key = GUINT16_FROM_BE(entry.key);
            *ret_size = GUINT32_FROM_BE(entry.size);
            return true;
        }
    }
    return false;
}

GBytes *
fw_cfg_guest_file(TestBoard *test, const char *name)
{
    uint16_t key = 0;
    uint32_t size = 0;
    g_autofree uint8_t *data = NULL;

    if (!fw_cfg_guest_find(test, name, &key, &size))
        g_error("there is no file %s", name);
    data = g_malloc(size + 1);
    fw_cfg_guest_read(test, key, data, size);
    return g_bytes_new(data, size);
}

uint64_t
fw_cfg_guest_number(TestBoard *test, uint16_t key, size_t size)
{
    uint64_t value = 0;

    fw_cfg_guest_read(test, key, &value, size);
    return GUINT64_FROM_LE(value);
}
