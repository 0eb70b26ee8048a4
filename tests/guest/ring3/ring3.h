/* ring3: a guest without a kernel, in 64-bit ring 3 with all ports open and 4 GiB of memory mapped as it is:
 * it drives devices at the processor's pace, also where ring 0 is slow. Interrupts are off: it polls.
 *
 * Its command line is "WORD [NUMBER...]", the scene to play and what that reads. It speaks on COM1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
void put_number(uint64_t number);
__attribute__((noreturn)) void hang(void);
/* Says @text and hangs. */
__attribute__((noreturn)) void fail(const char *text);

#define NUMBERS_MAX 4

typedef struct Scene {
    const char *name;
    void (*play)(const uint64_t numbers[NUMBERS_MAX]);
} Scene;

/* blk.c; each says "begin" and "end" around what it does, for a clock outside:
 * blk-random REQUESTS DEPTH: reads 4 KiB at random places, DEPTH at once
 * blk-sequence REQUESTS DEPTH: reads 128 KiB each, one after the other */
void play_blk_random(const uint64_t numbers[NUMBERS_MAX]);
void play_blk_sequence(const uint64_t numbers[NUMBERS_MAX]);
/* blk-live.c
 * blk-waves DEPTH: reads DEPTH blocks at once, again and again: says "first" when it has one of them, "all" when it
 *     has all; the disk's sectors begin with their number
 * blk-sizes: says "N sectors", and again when it is told of another number; what has come is empty and keeps what
 *     it is given */
void play_blk_waves(const uint64_t numbers[NUMBERS_MAX]);
void play_blk_sizes(const uint64_t numbers[NUMBERS_MAX]);
/* blk-fill.c: blk-fill DEPTH: writes all of the disk, each of its words another one, counted from 1, DEPTH blocks at
 *     once, and flushes it: "written"; finds all of that there: "read" */
void play_blk_fill(const uint64_t numbers[NUMBERS_MAX]);
/* net.c
 * net-send FRAMES SIZE: sends so many, of so many bytes with the Ethernet header
 * net-receive FRAMES: says "begin" when it can receive and "end" after so many */
void play_net_send(const uint64_t numbers[NUMBERS_MAX]);
void play_net_receive(const uint64_t numbers[NUMBERS_MAX]);
/* ../hostile/hostile.c: hostile SEED: without end */
void play_hostile(const uint64_t numbers[NUMBERS_MAX]);
