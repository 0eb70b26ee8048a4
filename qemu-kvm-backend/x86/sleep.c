#include "qemu-kvm-backend/x86/sleep.h"

#include "qemu-kvm-backend/x86/layout.h"

#define N_STATES        6 /* S0 to S5, a byte each: the type and ... */
#define STATE_AVAILABLE 0x80u

/* A package of four: the type for PM1a control, that for PM1b, which there is none of, and two reserved ones. */
static void
describe_state(Aml *aml, const char *name, unsigned type)
{
    aml_open_package(aml, name, 4);
    aml_integer(aml, type);
    for (int i = 0; i < 3; i++)
        aml_integer(aml, 0);
    aml_close(aml);
}

void
sleep_describe(const SleepStates *states, Aml *aml)
{
    if (states->to_mem)
        describe_state(aml, "\\_S3", LAYOUT_S3_TYPE);
    if (states->to_disk)
        describe_state(aml, "\\_S4", LAYOUT_S4_TYPE);
    describe_state(aml, "\\_S5", LAYOUT_S5_TYPE);
}

void
sleep_put_file(const SleepStates *states, FwCfg *cfg)
{
    const uint8_t file[N_STATES] = {
        [0] = STATE_AVAILABLE,
        [3] = LAYOUT_S3_TYPE | (states->to_mem ? STATE_AVAILABLE : 0),
        [4] = LAYOUT_S4_TYPE | (states->to_disk ? STATE_AVAILABLE : 0),
        [5] = LAYOUT_S5_TYPE | STATE_AVAILABLE,
    };

    fw_cfg_put_file(cfg, "etc/system-states", file, sizeof(file));
}
