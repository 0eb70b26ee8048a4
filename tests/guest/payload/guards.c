/* Devices that act on a guest in trouble: a panic port, a watchdog that is not fed, and the NMI button. */
#include "payload.h"

#define PORT_PANIC 0x505

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define DOG            (1u << 31 | 5u << 11) /* in slot 5 */
#define DOG_CONFIG     0x60
#define DOG_LOCK       0x68

#define APIC_SPURIOUS ((volatile uint32_t *)0xfee000f0)
#define APIC_LINT1    ((volatile uint32_t *)0xfee00360)

/* Says what it writes; what comes back from it goes on. */
void
play_panic(uint32_t number)
{
    put(inb(PORT_PANIC) == 3 ? "panicking\n" : "there is nothing to panic at\n");
    outb(PORT_PANIC, number);
    put("still here\n");
    finish(number);
}

static uint32_t
config_read(unsigned offset)
{
    uint32_t value;

    outl(CONFIG_ADDRESS, DOG | offset);
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"((uint16_t)CONFIG_DATA) : "memory");
    return value;
}

static void
config_write(unsigned offset, uint32_t value)
{
    outl(CONFIG_ADDRESS, DOG | offset);
    outl(CONFIG_DATA, value);
}

static void
unlock(volatile uint32_t *registers)
{
    registers[3] = 0x80;
    registers[3] = 0x86;
}

/* Two milliseconds, and nobody feeds it. */
static void
start_dog(volatile uint32_t *registers)
{
    for (unsigned stage = 0; stage < 2; stage++) {
        unlock(registers);
        registers[stage] = 1;
    }
    config_write(DOG_CONFIG, 3);
    config_write(DOG_LOCK, 2);
}

void nmi_entry(void); /* start.S; it calls on_nmi() */
void on_nmi(void);

void
on_nmi(void)
{
    put("NMI\n");
    finish(0);
}

/* The second boot ends it, where the watchdog says that it was the one. What bites without ending the run is
 * over when the lock register says so. */
void
play_watchdog(uint32_t number)
{
    volatile uint32_t *registers = (volatile uint32_t *)(config_read(0x10) & ~0xfu);

    if (config_read(0) != 0x25ab8086)
        finish(1);
    config_write(4, 2);
    if (registers[3] & 0x200) {
        put("it was the watchdog\n");
        finish(0);
    }
    set_gate(2, nmi_entry);
    put("not feeding\n");
    start_dog(registers);
    while (config_read(DOG_LOCK) & 2)
        pause();
    put("bitten\n");
    hang();
}

/* With the pin masked where @number says so. */
void
play_nmi(uint32_t number)
{
    set_gate(2, nmi_entry);
    *APIC_SPURIOUS |= 0x100;
    *APIC_LINT1 = 4 << 8 | number << 16;
    put("waiting for an NMI\n");
    hang();
}
