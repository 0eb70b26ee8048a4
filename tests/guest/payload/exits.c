/* Accesses that leave the guest, for a clock outside. */
#include "payload.h"

#define PORT_SCRATCH   (PORT_COM1 + 7) /* a UART's register without a function */
#define PORT_UNCLAIMED 0x2f7
#define NOWHERE        0xd0000000u /* in the hole for PCI, where nothing is mapped */

/* Many in a round, so that the loop around them hardly counts where ring 0 is emulated. */
#define A_ROUND "16"

static void
read_port(uint16_t port, uint32_t number)
{
    put("begin\n");
    for (uint32_t i = 0; i < number; i += 16)
        __asm__ volatile(".rept " A_ROUND "\n inb %%dx, %%al\n .endr" : : "d"(port) : "eax");
    put("end\n");
    hang();
}

void
play_pio_exits(uint32_t number)
{
    read_port(PORT_SCRATCH, number);
}

void
play_unclaimed_pio_exits(uint32_t number)
{
    read_port(PORT_UNCLAIMED, number);
}

void
play_mmio_exits(uint32_t number)
{
    put("begin\n");
    for (uint32_t i = 0; i < number; i += 16)
        __asm__ volatile(".rept " A_ROUND "\n movl (%0), %%eax\n .endr" : : "d"(NOWHERE) : "eax");
    put("end\n");
    hang();
}
