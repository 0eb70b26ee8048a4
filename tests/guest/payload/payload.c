#include "payload.h"

#define MULTIBOOT_MAGIC   0x2badb002
#define MULTIBOOT_CMDLINE 4 /* bits of the flags: what is there */
#define MULTIBOOT_MODULES 8

typedef struct MultibootInfo {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, n_modules, modules;
} MultibootInfo;

static struct {
    uint32_t start, end;
} module; /* the first */

void
put(const char *text)
{
    while (*text)
        outb(PORT_COM1, *text++);
}

void
put_number(uint32_t number)
{
    char text[11];
    char *at = text + sizeof(text);

    *--at = 0;
    do
        *--at = '0' + number % 10;
    while (number /= 10);
    put(at);
}

void
hang(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void
finish(uint8_t code)
{
    outb(PORT_EXIT, code);
    hang();
}

static void
play_hello(uint32_t number)
{
    put("hello from the payload\n");
    finish(number);
}

/* Says what it was given besides. */
static void
play_module(uint32_t number)
{
    put("module: ");
    for (uint32_t at = module.start; at < module.end; at++)
        outb(PORT_COM1, *(const uint8_t *)at);
    put("\n");
    finish(number);
}

static void
play_idle(uint32_t number)
{
    put("idle\n");
    hang();
}

/* Counts in RAM for as long as it runs, and says each @number-th. */
static void
play_count(uint32_t number)
{
    for (uint32_t i = 1;; i++) {
        if (i % number == 0)
            put(".");
        pause();
    }
}

/* After a while: 300 ms by the PIT's speaker channel, the one that software may read back. */
static void
play_late_exit(uint32_t number)
{
    for (unsigned i = 0; i < 6; i++) {
        outb(0x61, (inb(0x61) & 0xfc) | 1);
        outb(0x43, 0xb0); /* channel 2, both bytes, mode 0 */
        outb(0x42, 59659 & 0xff);
        outb(0x42, 59659 >> 8); /* 50 ms of 1193182 Hz */
        while (!(inb(0x61) & 0x20))
            pause();
    }
    finish(number);
}

static const Scene scenes[] = {
    { "hello", play_hello },
    { "module", play_module },
    { "idle", play_idle },
    { "count", play_count },
    { "late-exit", play_late_exit },
    { "cpuid", play_cpuid },
    { "cf9", play_cf9 },
    { "i8042", play_i8042 },
    { "triple-fault", play_triple_fault },
    { "power-off", play_power_off },
    { "power-button", play_power_button },
    { "sleep", play_sleep },
    { "nap", play_nap },
    { "sleep-button", play_sleep_button },
    { "sleep-lost", play_sleep_lost },
    { "hibernate", play_hibernate },
    { "functions", play_functions },
    { "slots", play_slots },
    { "fetch-from-nowhere", play_fetch_from_nowhere },
    { "long-string", play_long_string },
    { "panic", play_panic },
    { "watchdog", play_watchdog },
    { "nmi", play_nmi },
    { "pio-exits", play_pio_exits },
    { "unclaimed-pio-exits", play_unclaimed_pio_exits },
    { "mmio-exits", play_mmio_exits },
    { "smp", play_smp },
    { "ticks", play_ticks },
    { "synic", play_synic },
    { "boots", play_boots },
    { "smp-boots", play_smp_boots },
    { "hostile", play_hostile },
};

/* The rest of @text after @word and a space or the end; NULL where it begins with another word. */
static const char *
after_word(const char *text, const char *word)
{
    while (*word && *text == *word) {
        text++;
        word++;
    }
    if (*word || (*text && *text != ' '))
        return 0;
    return *text ? text + 1 : text;
}

static const char *
skip_word(const char *text)
{
    while (*text && *text != ' ')
        text++;
    return *text ? text + 1 : text;
}

static uint32_t
read_number(const char *text)
{
    uint32_t number = 0;

    while (*text >= '0' && *text <= '9')
        number = number * 10 + (*text++ - '0');
    return number;
}

void payload(uint32_t magic, const MultibootInfo *info);

void
payload(uint32_t magic, const MultibootInfo *info)
{
    const char *text, *rest;

    if (magic != MULTIBOOT_MAGIC || !(info->flags & MULTIBOOT_CMDLINE)) {
        put("no multiboot command line\n");
        finish(250);
    }
    if (info->flags & MULTIBOOT_MODULES && info->n_modules) {
        module.start = ((const uint32_t *)info->modules)[0];
        module.end = ((const uint32_t *)info->modules)[1];
    }
    text = skip_word((const char *)info->cmdline); /* the kernel's own name comes first */
    for (unsigned i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        rest = after_word(text, scenes[i].name);
        if (rest)
            scenes[i].play(read_number(rest));
    }
    put("no such scene: ");
    put(text);
    put("\n");
    finish(251);
}
