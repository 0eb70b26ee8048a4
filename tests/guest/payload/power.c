/* ACPI's fixed hardware, by hand: ACPI 6.4, 4.8.3. */
#include "payload.h"

#define PM1_STATUS    (PORT_PM + 0)
#define PM1_ENABLE    (PORT_PM + 2)
#define PM1_CONTROL   (PORT_PM + 4)
#define PM1_POWER_BIT 0x100 /* the power button, in status and enable */
#define SLEEP_ENABLE  0x2000
#define SLEEP_S5      (0 << 10)

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0
#define SCI        9
#define SCI_VECTOR 0x29

typedef struct Gate {
    uint16_t low, selector, type, high;
} Gate;

static Gate idt[256];
static volatile bool sci_came;

void
play_power_off(uint32_t number)
{
    put("good night\n");
    outw(PM1_CONTROL, SLEEP_S5 | SLEEP_ENABLE);
    put("the power went not off\n");
    finish(1);
}

void sci_entry(void); /* start.S; it calls on_sci() */
void on_sci(void);

/* Level-triggered: the status bit is what holds the line up. */
void
on_sci(void)
{
    if (inw(PM1_STATUS) & PM1_POWER_BIT) {
        outw(PM1_STATUS, PM1_POWER_BIT);
        sci_came = true;
    }
    outb(PIC_SLAVE, 0x20);
    outb(PIC_MASTER, 0x20);
}

static void
set_up_pics(void)
{
    static const uint8_t master[] = { 0x11, 0x20, 0x04, 0x01 };
    static const uint8_t slave[] = { 0x11, 0x28, 0x02, 0x01 };

    for (unsigned i = 0; i < 4; i++) {
        outb(PIC_MASTER + (i > 0), master[i]);
        outb(PIC_SLAVE + (i > 0), slave[i]);
    }
    outb(0x4d1, 1 << (SCI - 8)); /* ELCR: IRQ 9 is level-triggered */
    outb(PIC_MASTER + 1, (uint8_t) ~(1 << 2));
    outb(PIC_SLAVE + 1, (uint8_t) ~(1 << (SCI - 8)));
}

void
set_gate(unsigned vector, void (*entry)(void))
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)idt };
    uint32_t handler = (uint32_t)entry;

    idt[vector] = (Gate){ handler, 0x10, 0x8e00, handler >> 16 };
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void
play_power_button(uint32_t number)
{
    set_gate(SCI_VECTOR, sci_entry);
    set_up_pics();
    outw(PM1_ENABLE, PM1_POWER_BIT);
    put("waiting for the button\n");
    while (!sci_came)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    put("the button was pressed\n");
    if (inw(PM1_STATUS) & PM1_POWER_BIT)
        finish(1);
    play_power_off(0);
}
