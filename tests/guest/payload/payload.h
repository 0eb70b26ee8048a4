/* payload: a guest small enough to read: multiboot-1, 32 bits, no paging, no libc.
 *
 * Its command line is "WORD [NUMBER]": the scene to play, see scenes.c. It speaks on COM1 and ends
 * by writing a number to the debug-exit port.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PORT_COM1  0x3f8
#define PORT_EXIT  0x501
#define PORT_PM    0x600 /* PM1 status +0, enable +2, control +4 */
#define PORT_RESET 0xcf9
#define PORT_I8042 0x64
#define PORT_CMOS  0x70

/* A word of RAM that a reset keeps and no loader writes: far above the kernel. */
#define KEPT ((volatile uint32_t *)0x1f0000)

static inline void
outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void
outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void
outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t
inb(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t
inw(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t
inl(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void
pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

void put(const char *text);
void put_number(uint32_t number);
__attribute__((noreturn)) void finish(uint8_t code);
__attribute__((noreturn)) void hang(void);

typedef struct Scene {
    const char *name;
    void (*play)(uint32_t number);
} Scene;

/* boots.c: each counts the boots in RAM; most start over until there were @number. */
void play_cf9(uint32_t number);
void play_i8042(uint32_t number);
void play_triple_fault(uint32_t number);
void play_boots(uint32_t number);
void play_smp_boots(uint32_t number);
/* power.c */
void play_power_off(uint32_t number);
void play_power_button(uint32_t number);
/* sleep.c */
void play_sleep(uint32_t number);
void play_nap(uint32_t number);
void play_sleep_button(uint32_t number);
void play_sleep_lost(uint32_t number);
void play_hibernate(uint32_t number);
/* slots.c: the second without end */
void play_functions(uint32_t number);
void play_slots(uint32_t number);
/* cpu.c */
void play_cpuid(uint32_t number);
/* Has @entry, in start.S, called for interrupt @vector. */
void set_gate(unsigned vector, void (*entry)(void));
/* guards.c */
void play_panic(uint32_t number);
void play_watchdog(uint32_t number);
void play_nmi(uint32_t number);
/* crash.c */
void play_fetch_from_nowhere(uint32_t number);
void play_long_string(uint32_t number);
/* exits.c: says "begin", makes at least @number exits, says "end". */
void play_pio_exits(uint32_t number);
void play_unclaimed_pio_exits(uint32_t number);
void play_mmio_exits(uint32_t number);
/* smp.c */
void play_smp(uint32_t number);
/* ticks.c: @number lines, one for ten interrupts of the timer, then checks what it knows. */
void play_ticks(uint32_t number);
void play_synic(uint32_t number);
/* True when @number vCPUs have woken, each with an APIC id of its own. */
bool smp_wake(uint32_t number);
/* The same once they are off again. */
bool smp_wake_anew(uint32_t number);
/* Wakes all others, and does not wait for them: each calls @task, on a stack of 1 KiB. */
void smp_start(void (*task)(void));
/* ../hostile/hostile.c: without end */
void play_hostile(uint32_t number);
