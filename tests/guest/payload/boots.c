/* Ways back to the start. */
#include "payload.h"

#define KEPT_MAGIC 0xb0075000u

/* Which boot this is, from 1. The count lies in RAM, which a reset keeps; new RAM is zero. */
static uint32_t
count_boot(void)
{
    if (KEPT[0] != KEPT_MAGIC) {
        KEPT[0] = KEPT_MAGIC;
        KEPT[1] = 0;
    }
    KEPT[1]++;
    put("boot ");
    put_number(KEPT[1]);
    put("\n");
    return KEPT[1];
}

void
play_cf9(uint32_t number)
{
    if (count_boot() >= number)
        finish(0);
    outb(PORT_RESET, 0x02);
    outb(PORT_RESET, 0x06);
    put("the reset let an instruction through\n");
    finish(1);
}

void
play_i8042(uint32_t number)
{
    if (count_boot() >= number)
        finish(0);
    outb(PORT_I8042, 0xfe);
    put("the reset let an instruction through\n");
    finish(1);
}

/* An exception without a table to look it up in. */
void
play_triple_fault(uint32_t number)
{
    static const struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) no_idt = { 0, 0 };

    if (count_boot() >= number)
        finish(0);
    __asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
    finish(1);
}

/* Stays where it is until somebody else resets the machine. */
void
play_boots(uint32_t number)
{
    count_boot();
    hang();
}

/* Wakes @number vCPUs on each of three boots. */
void
play_smp_boots(uint32_t number)
{
    bool all = smp_wake(number);

    if (count_boot() >= 3 || !all)
        finish(!all);
    outb(PORT_RESET, 0x06);
    finish(1);
}
