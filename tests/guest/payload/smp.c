/* Wakes the other vCPUs as the Intel SDM says, volume 3, 9.4.4: INIT, start-up IPI. */
#include "payload.h"

#define LAPIC      0xfee00000u
#define LAPIC_ID   0x020
#define LAPIC_SVR  0x0f0
#define LAPIC_ICR  0x300
#define ICR_INIT   0x000c4500u /* to all but this one */
#define ICR_SIPI   0x000c4608u /* the same, page 8 */
#define TRAMPOLINE 0x8000

extern const uint8_t trampoline[], trampoline_end[];

static volatile uint32_t arrived = 1;
static volatile uint32_t ids[8]; /* bits of the APIC ids that were seen */

static volatile uint32_t *
lapic(uint32_t reg)
{
    return (volatile uint32_t *)(LAPIC + reg);
}

static void (*task)(void);

static void
note_id(void)
{
    uint32_t id = *lapic(LAPIC_ID) >> 24;

    __atomic_fetch_or(&ids[id / 32], 1u << id % 32, __ATOMIC_SEQ_CST);
}

extern uint32_t tickets; /* start.S: the next stack */

void smp_arrived(void);

void
smp_arrived(void)
{
    note_id();
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    if (task)
        task();
}

static uint32_t
count_ids(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < 256; i++)
        n += ids[i / 32] >> i % 32 & 1;
    return n;
}

static void
wake(void)
{
    for (uint32_t i = 0; i < (uint32_t)(trampoline_end - trampoline); i++)
        ((volatile uint8_t *)TRAMPOLINE)[i] = trampoline[i];
    *lapic(LAPIC_SVR) |= 0x100;
    *lapic(LAPIC_ICR) = ICR_INIT;
    *lapic(LAPIC_ICR) = ICR_SIPI;
}

void
smp_start(void (*to_do)(void))
{
    task = to_do;
    wake();
}

/* The test's time limit ends the wait for one that never comes. */
bool
smp_wake(uint32_t number)
{
    note_id();
    wake();
    while (arrived < number)
        pause();
    return arrived == number && count_ids() == number;
}

bool
smp_wake_anew(uint32_t number)
{
    arrived = 1;
    for (unsigned i = 0; i < 8; i++)
        ids[i] = 0;
    tickets = 1;
    return smp_wake(number);
}

void
play_smp(uint32_t number)
{
    bool all = smp_wake(number);

    put("vCPUs: ");
    put_number(arrived);
    put(", APIC ids: ");
    put_number(count_ids());
    put("\n");
    finish(!all);
}
