/* Counts the interval timer's interrupts, with its memory full of a pattern and an eye on the clocks: what is restored
 * must go on as if nothing had happened. */
#include "payload.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0
#define VECTOR     0x20
#define PIT_HZ     1193182u
#define TICKS_HZ   100u
#define PATTERN    ((volatile uint32_t *)0x400000)
#define PATTERN_N  (1u << 20) /* words: 4 MiB, of which each second page stays zero */
#define PAGE_WORDS 1024u
#define TIMER_MASK 0xffffffu
#define TIMER_HZ   3579545u

typedef struct __attribute__((packed)) Gate {
    uint16_t low, selector;
    uint8_t zero, type;
    uint16_t high;
} Gate;

static Gate gates[256] __attribute__((aligned(8)));
static volatile uint32_t ticks;

void on_tick(void);
extern const uint8_t tick_gate[];

void
on_tick(void)
{
    ticks++;
    outb(PIC_MASTER, 0x20);
}

/* Without IRET, which KVM does not emulate where it emulates ring 0. Interrupts come at HLT alone, behind which
 * they are off, and so they are left off; the other two words of the frame are what they were. */
__asm__("tick_gate: pusha; call on_tick; popa; ret $8");

static void
set_tick_gate(void)
{
    const struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) table = { sizeof(gates) - 1, (uint32_t)gates };
    uint32_t at = (uint32_t)tick_gate;
    uint16_t cs;

    __asm__("mov %%cs, %0" : "=r"(cs));
    gates[VECTOR] = (Gate){ at & 0xffff, cs, 0, 0x8e, at >> 16 };
    __asm__ volatile("lidt %0" : : "m"(table));
}

static void
start_timer(void)
{
    static const uint8_t master[] = { 0x11, VECTOR, 4, 1, 0xfe },
                         slave[] = { 0x11, 0x28, 2, 1, 0xff };

    outb(PIC_MASTER, master[0]);
    outb(PIC_SLAVE, slave[0]);
    for (unsigned i = 1; i < 5; i++) {
        outb(PIC_MASTER + 1, master[i]);
        outb(PIC_SLAVE + 1, slave[i]);
    }
    outb(0x43, 0x34); /* channel 0, both bytes, rate generator */
    outb(0x40, PIT_HZ / TICKS_HZ & 0xff);
    outb(0x40, PIT_HZ / TICKS_HZ >> 8);
}

static uint32_t
pattern(uint32_t i)
{
    return i / PAGE_WORDS % 2 ? 0 : i * 2654435761u + 1;
}

static uint64_t
tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void
check(bool good, const char *what)
{
    if (good)
        return;
    put(what);
    put("\n");
    finish(1);
}

/* Says each tenth tick. Neither clock goes back, and the ACPI timer does not leap: less than two of its seconds,
 * however long the machine was away. */
void
play_ticks(uint32_t number)
{
    uint32_t timer = inl(PORT_PM + 8), said = 0;
    uint64_t stamp = tsc();

    for (uint32_t i = 0; i < PATTERN_N; i += i % PAGE_WORDS == 0 ? 1 : PAGE_WORDS - 1)
        PATTERN[i] = pattern(i);
    set_tick_gate();
    start_timer();
    while (said < number) {
        uint32_t timer_now;
        uint64_t stamp_now;

        __asm__ volatile("sti; hlt; cli" : : : "memory");
        stamp_now = tsc();
        timer_now = inl(PORT_PM + 8);
        check(stamp_now > stamp, "the TSC went back");
        check(((timer_now - timer) & TIMER_MASK) < 2 * TIMER_HZ, "the ACPI timer leapt");
        stamp = stamp_now;
        timer = timer_now;
        if (ticks < 10 * (said + 1))
            continue;
        put("tick ");
        put_number(10 * ++said);
        put("\n");
    }
    for (uint32_t i = 0; i < PATTERN_N; i += i % PAGE_WORDS == 0 ? 1 : PAGE_WORDS - 1)
        check(PATTERN[i] == pattern(i), "the memory has changed");
    put("all is well\n");
    finish(0);
}
