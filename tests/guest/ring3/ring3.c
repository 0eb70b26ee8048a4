#include "ring3.h"

#define PORT_COM1   0x3f8
#define COM1_STATUS (PORT_COM1 + 5)
#define THR_EMPTY   0x20

/* What is used of Xen's hvm_start_info. */
typedef struct StartInfo {
    uint32_t magic, version, flags, n_modules;
    uint64_t modules, cmdline;
} StartInfo;

void
put(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1_STATUS) & THR_EMPTY))
            pause();
        outb(PORT_COM1, *text);
    }
}

void
put_number(uint64_t number)
{
    char text[21];
    char *at = text + sizeof(text);

    *--at = 0;
    do
        *--at = '0' + number % 10;
    while (number /= 10);
    put(at);
}

/* There is no HLT in ring 3. */
void
hang(void)
{
    for (;;)
        pause();
}

void
fail(const char *text)
{
    put("failed: ");
    put(text);
    put("\n");
    hang();
}

static const Scene scenes[] = {
    { "blk-random", play_blk_random },   { "blk-sequence", play_blk_sequence },
    { "blk-waves", play_blk_waves },     { "blk-sizes", play_blk_sizes },
    { "blk-fill", play_blk_fill },       { "net-send", play_net_send },
    { "net-receive", play_net_receive }, { "hostile", play_hostile },
};

/* The rest of @text after @word; NULL where it begins with another word. */
static const char *
after_word(const char *text, const char *word)
{
    while (*word && *text == *word) {
        text++;
        word++;
    }
    return *word || (*text && *text != ' ') ? NULL : text;
}

static void
read_numbers(const char *text, uint64_t numbers[NUMBERS_MAX])
{
    for (unsigned i = 0; i < NUMBERS_MAX; i++) {
        numbers[i] = 0;
        while (*text == ' ')
            text++;
        while (*text >= '0' && *text <= '9')
            numbers[i] = numbers[i] * 10 + (*text++ - '0');
    }
}

void ring3(const StartInfo *info);

void
ring3(const StartInfo *info)
{
    const char *cmdline = (const char *)info->cmdline;
    uint64_t numbers[NUMBERS_MAX];

    for (unsigned i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        const char *rest = after_word(cmdline, scenes[i].name);

        if (rest) {
            read_numbers(rest, numbers);
            scenes[i].play(numbers);
        }
    }
    fail("no such scene");
}
