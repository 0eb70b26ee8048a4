/* What a guest does that KVM cannot go on with, or not for long. */
#include "payload.h"

void
play_fetch_from_nowhere(uint32_t number)
{
    put("jumping off\n");
    __asm__ volatile("movl $0xc0de, %%eax; jmp *%0" : : "r"(0xd0000000u) : "eax");
    hang();
}

/* One instruction that asks for four thousand million port writes. */
void
play_long_string(uint32_t number)
{
    put("writing\n");
    __asm__ volatile("movl $0x200000, %%esi; movl $0xffffffff, %%ecx; cld; rep outsb"
                     :
                     : "d"(0x80)
                     : "esi", "ecx", "memory");
    finish(1);
}
