/* What the CPU says of itself. */
#include "payload.h"

static void
put_hex(uint32_t value)
{
    char text[10] = "        ";

    for (int i = 7; i >= 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    text[8] = ' ';
    put(text);
}

/* The four registers of leaf @number, index 0. */
void
play_cpuid(uint32_t number)
{
    uint32_t eax = number, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    put_hex(eax);
    put_hex(ebx);
    put_hex(ecx);
    put_hex(edx);
    put("\n");
    finish(0);
}
