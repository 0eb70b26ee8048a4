/* Fuzz target: what a firmware image says of itself, in a file of any package's. What is taken has code to boot, and is
 * for one of the two kinds of firmware. */
#include "driver/firmware-descriptor.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(FirmwareImage) image = { 0 };
    DomainFirmware kind = DOMAIN_FIRMWARE_NONE;

    replay_allow_warnings();
    if (!firmware_descriptor_read(replay_file(data, size), &kind, &image))
        return 0;
    g_assert_true(kind == DOMAIN_FIRMWARE_EFI || kind == DOMAIN_FIRMWARE_BIOS);
    g_assert_nonnull(image.code);
    g_assert_true(g_utf8_validate(image.code, -1, NULL));
    g_assert_true(!image.variables || g_utf8_validate(image.variables, -1, NULL));
    return 0;
}
