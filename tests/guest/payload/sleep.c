/* Sleeps (S3) and wakes up: ACPI 6.4, 4.8.3.2.1 and 16.3. What it needs to know it looks up in the tables. */
#include "payload.h"

#define RSDP_FROM    0xe0000u /* 5.2.5.1 */
#define RSDP_END     0x100000u
#define RSDP_XSDT    24
#define XSDT_ENTRIES 36
#define FADT_FACS    36
#define FACS_VECTOR  12

#define PM1_STATUS    (PORT_PM + 0)
#define PM1_ENABLE    (PORT_PM + 2)
#define PM1_CONTROL   (PORT_PM + 4)
#define PM1_BUTTON    0x100
#define PM1_RTC       0x400
#define PM1_WAKE      0x8000
#define SLEEP_S3      (1 << 10)
#define SLEEP_S4      (2 << 10)
#define SLEEP_ENABLE  0x2000

#define RTC_B            0x0b
#define RTC_24H          0x02
#define RTC_ALARM_ENABLE 0x20
#define RTC_ANY          0xc0

#define PORT_PCI_ADDRESS 0xcf8
#define PORT_PCI_DATA    0xcfc
#define PCIEXBAR         0x80000060u /* of the host bridge */

#define VECTOR 0xa010 /* not where a page begins, and not where further vCPUs do */

/* start.S: in real mode, CS 0x0a01; goes on at woken(). */
extern const uint8_t waking[], waking_end[];
void woken(void);

static uint32_t vcpus, nap, feels_button;

static uint32_t
read32(uint32_t address)
{
    return *(volatile uint32_t *)address;
}

/* "RSD PTR ", where a BIOS puts it. */
static uint32_t
find_xsdt(void)
{
    for (uint32_t at = RSDP_FROM; at < RSDP_END; at += 16) {
        if (read32(at) == 0x20445352 && read32(at + 4) == 0x20525450)
            return read32(at + RSDP_XSDT);
    }
    put("no tables\n");
    finish(1);
}

static uint32_t
read_pciexbar(void)
{
    outl(PORT_PCI_ADDRESS, PCIEXBAR);
    return inl(PORT_PCI_DATA);
}

static uint32_t
find_table(uint32_t signature)
{
    uint32_t xsdt = find_xsdt(), end = xsdt + read32(xsdt + 4);

    for (uint32_t at = xsdt + XSDT_ENTRIES; at < end; at += 8) {
        if (read32(read32(at)) == signature)
            return read32(at);
    }
    put("no such table\n");
    finish(1);
}

static void
set_vector(uint32_t vector)
{
    uint32_t facs = read32(find_table(0x50434146) + FADT_FACS); /* "FACP" */

    *(volatile uint32_t *)(facs + FACS_VECTOR) = vector;
}

static void
write_cmos(uint8_t reg, uint8_t value)
{
    outb(PORT_CMOS, reg);
    outb(PORT_CMOS + 1, value);
}

static void
fall_asleep(uint16_t type)
{
    put("asleep\n");
    outw(PM1_CONTROL, type);
    outw(PM1_CONTROL, type | SLEEP_ENABLE);
    put("it did not sleep\n");
    finish(1);
}

/* @number vCPUs; those besides the first are woken before and, from nothing, after. */
void
play_sleep(uint32_t number)
{
    vcpus = number;
    KEPT[0] = 0x5ee9;
    KEPT[1] = read_pciexbar();
    for (uint32_t i = 0; i < (uint32_t)(waking_end - waking); i++)
        ((volatile uint8_t *)VECTOR)[i] = waking[i];
    set_vector(VECTOR);
    if (vcpus > 1 && !smp_wake(vcpus))
        finish(2);
    outw(PM1_ENABLE, nap ? PM1_RTC : PM1_BUTTON);
    fall_asleep(SLEEP_S3);
}

/* The alarm of its clock, of any second, wakes it. */
void
play_nap(uint32_t number)
{
    nap = 1;
    write_cmos(1, RTC_ANY);
    write_cmos(3, RTC_ANY);
    write_cmos(5, RTC_ANY);
    write_cmos(RTC_B, RTC_24H | RTC_ALARM_ENABLE);
    play_sleep(1);
}

/* When it is awake it waits for its button, and until then, as Linux does, forgets what it said. */
void
play_sleep_button(uint32_t number)
{
    feels_button = 1;
    play_sleep(1);
}

/* Nobody has been told where it wakes up: it starts over, and has its RAM. */
void
play_sleep_lost(uint32_t number)
{
    if (KEPT[0] == 0x105) {
        put("it started over\n");
        finish(0);
    }
    KEPT[0] = 0x105;
    set_vector(0);
    fall_asleep(SLEEP_S3);
}

void
play_hibernate(uint32_t number)
{
    fall_asleep(SLEEP_S4);
}

/* A machine just turned on, but for its RAM, and how it came to be awake. */
void
woken(void)
{
    uint16_t status = inw(PM1_STATUS);

    put("awake\n");
    if (KEPT[0] != 0x5ee9)
        finish(3);
    if (!(status & PM1_WAKE) || !(status & (nap ? PM1_RTC : PM1_BUTTON)))
        finish(4);
    if (inw(PM1_ENABLE) || inw(PM1_CONTROL) != 1)
        finish(5);
    if (read_pciexbar() != KEPT[1])
        finish(8);
    outw(PM1_STATUS, PM1_WAKE);
    if (inw(PM1_STATUS) & PM1_WAKE)
        finish(6);
    if (vcpus > 1 && !smp_wake_anew(vcpus))
        finish(7);
    if (!feels_button)
        finish(0);
    outw(PM1_STATUS, PM1_BUTTON);
    play_power_button(0);
}
