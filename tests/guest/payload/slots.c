/* PCI Express, by hand: the functions of bus 0, and slots (Base 5.0, 6.7 and 7.5.3), which it looks at again and again;
 * nothing interrupts it. */
#include "payload.h"

#define PORT_PCI_ADDRESS 0xcf8
#define PORT_PCI_DATA    0xcfc
#define PCI_ENABLE       0x80000000u
#define PCI_CLASS        0x08
#define PCI_CAPABILITIES 0x34

#define BRIDGE      0x060400u
#define CAP_EXPRESS 0x10

#define SLOT_CONTROL 0x18
#define SLOT_STATUS  0x1a

#define BUTTON    (1 << 0) /* in status and control */
#define PRESENCE  (1 << 3)
#define LINK      (1 << 8)
#define PRESENT   (1 << 6) /* in status */
#define HOT_PLUG  (1 << 5) /* in control */
#define POWER     (7 << 8) /* the indicator, and the switch */
#define POWER_ON  (1 << 8)
#define POWER_OFF (7 << 8)

#define SLOTS_MAX 8

static uint32_t
config_read(uint32_t at)
{
    outl(PORT_PCI_ADDRESS, at);
    return inl(PORT_PCI_DATA);
}

static uint16_t
config_read16(uint32_t at)
{
    outl(PORT_PCI_ADDRESS, at & ~3u);
    return inw(PORT_PCI_DATA + (at & 2));
}

static void
config_write16(uint32_t at, uint16_t value)
{
    outl(PORT_PCI_ADDRESS, at & ~3u);
    outw(PORT_PCI_DATA + (at & 2), value);
}

static void
put_hex16(uint32_t value)
{
    char text[] = "0000";

    for (unsigned i = 0; i < 4; i++)
        text[i] = "0123456789abcdef"[value >> (12 - 4 * i) & 0xf];
    put(text);
}

/* Of each the slot, the function and who made it. */
void
play_functions(uint32_t number)
{
    for (uint32_t place = 0; place < 256; place++) {
        uint32_t id = config_read(PCI_ENABLE | place << 8);

        if (id == UINT32_MAX)
            continue;
        put_number(place / 8);
        put(".");
        put_number(place % 8);
        put(" ");
        put_hex16(id);
        put(":");
        put_hex16(id >> 16);
        put("\n");
    }
    finish(number);
}

/* The PCI Express capability of the bridge that @function is; 0 where it is none. */
static uint32_t
find_slot(uint32_t function)
{
    uint32_t header;

    if (config_read(function + PCI_CLASS) >> 8 != BRIDGE)
        return 0;
    for (uint32_t at = config_read(function + PCI_CAPABILITIES) & 0xfc; at;
         at = header >> 8 & 0xfc) {
        header = config_read(function + at);
        if ((header & 0xff) == CAP_EXPRESS)
            return function + at;
    }
    return 0;
}

/* What comes gets its slot's power, and who presses the button gets it turned off: both may have happened since the
 * last look. */
static void
serve(uint32_t slot)
{
    uint16_t status = config_read16(slot + SLOT_STATUS), control;

    if (!(status & (BUTTON | PRESENCE | LINK)))
        return;
    config_write16(slot + SLOT_STATUS, status & (BUTTON | PRESENCE | LINK));
    control = config_read16(slot + SLOT_CONTROL) & ~POWER;
    if (status & PRESENT)
        config_write16(slot + SLOT_CONTROL, control | POWER_ON);
    if (status & BUTTON || !(status & PRESENT))
        config_write16(slot + SLOT_CONTROL, control | POWER_OFF);
}

void
play_slots(uint32_t number)
{
    uint32_t slots[SLOTS_MAX], n = 0;

    for (uint32_t place = 0; place < 256 && n < SLOTS_MAX; place++) {
        slots[n] = find_slot(PCI_ENABLE | place << 8);
        if (slots[n])
            n++;
    }
    for (uint32_t i = 0; i < n; i++)
        config_write16(slots[i] + SLOT_CONTROL,
                       config_read16(slots[i] + SLOT_CONTROL) | BUTTON | HOT_PLUG);
    put_number(n);
    put(" slots are looked after\n");
    for (;;) {
        for (uint32_t i = 0; i < n; i++)
            serve(slots[i]);
    }
}
