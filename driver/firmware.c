#include "driver/firmware.h"

#include "driver/error.h"

#include <libvirt/virterror.h>
#include <unistd.h>

/* SeaBIOS, the better ones first. */
static const char *const bios_paths[] = {
    "/usr/share/seabios/bios-256k.bin", /* Debian, Fedora */
    "/usr/share/qemu/bios-256k.bin",
    "/usr/share/seabios/bios.bin",
};

const char *
firmware_find_bios(GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bios_paths); i++) {
        if (access(bios_paths[i], R_OK) == 0)
            return bios_paths[i];
    }
    driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                 "there is neither a <kernel> nor a BIOS on this host: %s is missing",
                 bios_paths[0]);
    return NULL;
}
