/* A guest that means harm: accesses to any port, to configuration space by ports and by its window, to BARs wherever it
 * has put them, to flash, and drivers of virtio devices and fw_cfg that lie. What it does follows from a number; that
 * lies in RAM, which a reset keeps, so that a guest that has brought itself down goes on with something else.
 *
 * It says "+" on COM1, whose registers it spares, once in ACTIONS_A_WORD actions of the first vCPU. Two guests play it:
 * the payload, in ring 0 on two vCPUs, and the one in ring 3, on one but at the processor's pace. */
#ifdef __x86_64__
#include "tests/guest/ring3/ring3.h"
#else
#include "tests/guest/payload/payload.h"
#endif

#ifdef __x86_64__
#define PORT_COM1  0x3f8
#define PORT_PM    0x600
#define PORT_RESET 0xcf9
#define PORT_I8042 0x64
#define KEPT                                                                                       \
    ((volatile uint32_t *)0x1f00000) /* which a reset keeps: behind what is loaded and cleared */
#endif

#define KEPT_MAGIC      0x4a57113eu
#define ACTIONS_A_WORD  64
#define N_FUNCTIONS_MAX 16
#define RAM_END         0x2000000u
#define RINGS                                                                                      \
    0xc00000u /* behind the guest itself; from here on lies what devices are told of, so far apart: */
#define RINGS_SIZE   0x80000u
#define QUEUE_STEP   0x8000u /* a queue's share: three areas and buffers */
#define AT_DRIVER    0x2000u
#define AT_DEVICE    0x3000u
#define AT_BUFFERS   0x5000u
#define BARS         0xd0000000u /* where a BAR goes that was set to nowhere */
#define ECAM         0xe0000000u
#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define PORT_PANIC   0x505
#define PORT_DMA     0x514       /* fw_cfg's, eight bytes, big-endian */
#define FLASH        0xfffd0000u /* the firmware's variables */
#define FLASH_SIZE   0x10000u

/* Registers of configuration space */
#define COMMAND       0x04
#define CLASS         0x08
#define BAR_FIRST     0x10
#define BUSES         0x18
#define WINDOW        0x20
#define PCIEXBAR      0x60
#define CLASS_BRIDGE  0x0604
#define WATCHDOG_LOCK 0x68 /* of the watchdog: 2 sets it off */
#define WATCHDOG_FEED 0x0c /* of its BAR */

/* Virtio over PCI: BARs, and places in the one of the structures */
#define BAR_MSIX              0x14
#define BAR_STRUCTURES        0x20
#define AT_NOTIFY             0x3000u
#define AT_CONFIG             0x2000u
#define FEATURE_SELECT        0x00
#define FEATURE               0x04
#define GUEST_SELECT          0x08
#define GUEST_FEATURE         0x0c
#define NUM_QUEUES            0x12
#define STATUS                0x14
#define QUEUE_SELECT          0x16
#define QUEUE_SIZE            0x18
#define QUEUE_VECTOR          0x1a
#define QUEUE_ENABLE          0x1c
#define QUEUE_AREAS           0x20
#define COMMAND_MEMORY_MASTER 0x0006

typedef struct Function {
    uint16_t bdf;
    bool virtio, vsock;
    uint32_t rings;
} Function;

/* One for each vCPU. */
typedef struct Attacker {
    volatile uint32_t *state;
    uint32_t n_actions;
} Attacker;

static Function functions[N_FUNCTIONS_MAX];
static volatile uint32_t n_functions;

static uint32_t
next(Attacker *a)
{
    uint32_t x = *a->state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *a->state = x ? x : KEPT_MAGIC;
    return x;
}

static uint32_t
below(Attacker *a, uint32_t n)
{
    return (next(a) >> 8) % n;
}

/* Accesses of 1, 2 or 4 bytes. */

static void
port_access(uint16_t port, uint32_t width, bool write, uint32_t value)
{
    if (port + 4u > PORT_COM1 && port < PORT_COM1 + 8u)
        return;
    if (write && width == 0)
        outb(port, value);
    else if (write && width == 1)
        outw(port, value);
    else if (write)
        outl(port, value);
    else if (width == 0)
        inb(port);
    else if (width == 1)
        inw(port);
    else
        inl(port);
}

static void
memory_access(uint32_t at, uint32_t width, bool write, uint32_t value)
{
    if (write && width == 0)
        *(volatile uint8_t *)(uintptr_t)at = value;
    else if (write && width == 1)
        *(volatile uint16_t *)(uintptr_t)at = value;
    else if (write)
        *(volatile uint32_t *)(uintptr_t)at = value;
    else if (width == 0)
        (void)*(volatile uint8_t *)(uintptr_t)at;
    else if (width == 1)
        (void)*(volatile uint16_t *)(uintptr_t)at;
    else
        (void)*(volatile uint32_t *)(uintptr_t)at;
}

static void
config_select(uint32_t bdf, uint32_t reg)
{
    outl(PORT_ADDRESS, 0x80000000u | bdf << 8 | (reg & 0xfc));
}

static uint32_t
config_read(uint32_t bdf, uint32_t reg)
{
    config_select(bdf, reg);
    return inl(PORT_DATA);
}

static void
config_write(uint32_t bdf, uint32_t reg, uint32_t value)
{
    config_select(bdf, reg);
    outl(PORT_DATA, value);
}

/* Looking around */

static void
note_function(uint32_t bdf, uint32_t id)
{
    Function *fn = &functions[n_functions];

    if (id == 0xffffffffu || n_functions == N_FUNCTIONS_MAX)
        return;
    *fn = (Function){ .bdf = bdf,
                      .virtio = (id & 0xffff) == 0x1af4,
                      .vsock = id == 0x10531af4,
                      .rings = RINGS + n_functions * RINGS_SIZE };
    n_functions++;
}

/* What firmware does before a system sees it; a loader's guest finds it done. */
static void
set_up_chipset(void)
{
    uint32_t bus = 0;

    if (config_read(0, PCIEXBAR) & 1)
        return;
    config_write(0, PCIEXBAR, ECAM | 1);
    for (uint32_t slot = 0; slot < 32; slot++) {
        if (config_read(slot << 3, CLASS) >> 16 != CLASS_BRIDGE)
            continue;
        bus++;
        config_write(slot << 3, BUSES, bus << 16 | bus << 8);
        config_write(slot << 3, WINDOW, (BARS + 0x0ff00000u) | BARS >> 16);
        config_write(slot << 3, COMMAND, COMMAND_MEMORY_MASTER);
    }
}

static void
scan(void)
{
    n_functions = 0;
    set_up_chipset();
    for (uint32_t bus = 0; bus < 3; bus++) {
        for (uint32_t slot = 0; slot < (bus ? 1 : 32); slot++)
            note_function(bus << 8 | slot << 3, config_read(bus << 8 | slot << 3, 0));
    }
}

static const Function *
any_function(Attacker *a)
{
    return &functions[below(a, n_functions)];
}

/* NULL now and then: the first one that was drawn is none. */
static const Function *
any_virtio(Attacker *a)
{
    const Function *fn = any_function(a);

    return fn->virtio ? fn : 0;
}

/* Where a BAR is; put somewhere where that is RAM or nothing that takes one. */
static uint32_t
bar_of(const Function *fn, uint32_t reg)
{
    uint32_t at = config_read(fn->bdf, reg) & ~0xfu;

    if (at < 0xc0000000u || at >= ECAM) {
        at = BARS + ((fn - functions) * 2 + (reg == BAR_MSIX)) * 0x10000u;
        config_write(fn->bdf, reg, at);
        if (reg == BAR_STRUCTURES)
            config_write(fn->bdf, reg + 4, 0);
        config_write(fn->bdf, 0x04, COMMAND_MEMORY_MASTER);
    }
    return at;
}

/* Numbers that are on some edge. */
static uint32_t
any_value(Attacker *a)
{
    switch (below(a, 8)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffffu;
    case 2:
        return 1u << below(a, 32);
    case 3:
        return RAM_END - below(a, 32);
    case 4:
        return 0xfee00000u + below(a, 0x1000);
    case 5:
        return below(a, 256);
    default:
        return next(a);
    }
}

static uint64_t
any_address(Attacker *a, const Function *fn)
{
    switch (below(a, 16)) {
    case 0:
        return any_value(a);
    case 1:
        return RAM_END - below(a, 64);
    case 2:
        return BARS + below(a, 0x100000);
    case 3:
        return (uint64_t)next(a) << 32 | next(a);
    default:
        return fn->rings + below(a, RINGS_SIZE);
    }
}

/* What it does */

static void
touch_port(Attacker *a)
{
    static const uint16_t ports[] = { 0x20,  0x40,  0x60,  0x64,  0x70,  0x71,  0x80,  0x92,
                                      0xa0,  0x2f8, 0x2fb, 0x402, 0x510, 0x511, 0x514, 0x518,
                                      0x600, 0x604, 0x608, 0xcf8, 0xcfc, 0x504 };
    uint32_t port = next(a) & 0xffff;

    if (below(a, 4))
        port = ports[below(a, sizeof(ports) / sizeof(ports[0]))] + below(a, 4);
    /* The ways to bring the machine down are found seldom, or nothing else would be. */
    if ((port == PORT_RESET || port == 0x92 || port == PORT_I8042 || port == PORT_PM + 5 ||
         port == PORT_PANIC) &&
        below(a, 4))
        return;
    port_access(port, below(a, 3), next(a) & 0x100, any_value(a));
}

static void
touch_config(Attacker *a)
{
    const Function *fn = any_function(a);
    uint32_t reg = below(a, 256), width = below(a, 3);

    if (below(a, 32) == 0)
        config_select(next(a) & 0xffff, reg);
    else
        config_select(fn->bdf, reg);
    port_access(PORT_DATA + (reg & 3), width, next(a) & 0x100, any_value(a));
}

static void
touch_ecam(Attacker *a)
{
    const Function *fn = any_function(a);
    uint32_t at = ECAM + (fn->bdf << 12) + below(a, below(a, 8) ? 256 : 4096);

    memory_access(at, below(a, 3), next(a) & 0x100, any_value(a));
}

static void
touch_bar(Attacker *a)
{
    const Function *fn = any_virtio(a);
    bool msix = next(a) & 0x200;
    uint32_t bar;

    if (!fn)
        return;
    bar = bar_of(fn, msix ? BAR_MSIX : BAR_STRUCTURES);
    if (msix)
        bar += below(a, 0x1000);
    else
        bar += below(a, 4) * 0x1000 + below(a, below(a, 8) ? 0x80 : 0x1000);
    memory_access(bar, below(a, 3), next(a) & 0x100, any_value(a));
}

/* The watchdog's, unlocked as its driver does it, the panic device's, whose word is found seldom, and root ports'. */
static void
touch_registers(Attacker *a)
{
    const Function *fn = any_function(a);
    uint32_t bar, at = below(a, 4) * 4, value = any_value(a);

    if (fn->virtio)
        return;
    bar = bar_of(fn, BAR_FIRST);
    if (below(a, 8) == 0)
        config_write(fn->bdf, WATCHDOG_LOCK, 2 | below(a, 8));
    if (below(a, 2)) {
        memory_access(bar + WATCHDOG_FEED, 0, true, 0x80);
        memory_access(bar + WATCHDOG_FEED, 0, true, 0x86);
    }
    memory_access(bar + at, below(a, 3), next(a) & 0x100, below(a, 8) ? value & ~1u : value);
}

static void
touch_flash(Attacker *a)
{
    static const uint8_t commands[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70,
                                        0x90, 0x98, 0xd0, 0xe8, 0xff };
    uint32_t at = FLASH + below(a, FLASH_SIZE);

    for (uint32_t n = 1 + below(a, 4); n > 0; n--)
        memory_access(at + below(a, 8), 0, next(a) & 0x100,
                      below(a, 4) ? commands[below(a, sizeof(commands))] : any_value(a));
}

/* What is above all RAM; the local APIC is the vCPU's own and one way to lose it. */
static void
touch_memory(Attacker *a)
{
    uint32_t at = 0xc0000000u | next(a);

    if (at >> 12 == 0xfee00 && below(a, 64))
        return;
    memory_access(at & ~3u, below(a, 3), next(a) & 0x100, any_value(a));
}

/* A driver as it should be, but for what it negotiates and where it has its queues. */

static void
set16(uint32_t bar, uint32_t reg, uint32_t value)
{
    *(volatile uint16_t *)(uintptr_t)(bar + reg) = value;
}

static void
set32(uint32_t bar, uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(bar + reg) = value;
}

static void
set_status(uint32_t bar, uint8_t status)
{
    *(volatile uint8_t *)(uintptr_t)(bar + STATUS) = status;
}

static void
negotiate(Attacker *a, uint32_t bar)
{
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t offered, drop = next(a) & next(a) & next(a);

        set32(bar, FEATURE_SELECT, half);
        offered = *(volatile uint32_t *)(uintptr_t)(bar + FEATURE);
        set32(bar, GUEST_SELECT, half);
        set32(bar, GUEST_FEATURE, half ? offered & ~(drop & 2) : offered & ~drop);
    }
}

static void
place_queue(Attacker *a, const Function *fn, uint32_t bar, uint32_t queue)
{
    uint32_t base = fn->rings + queue * QUEUE_STEP;

    set16(bar, QUEUE_SELECT, queue);
    if (below(a, 4))
        set16(bar, QUEUE_SIZE, below(a, 16) ? 1u << below(a, 8) : next(a));
    if (below(a, 64) == 0)
        base = any_value(a);
    for (uint32_t area = 0; area < 3; area++) {
        static const uint32_t at[] = { 0, AT_DRIVER, AT_DEVICE };

        set32(bar, QUEUE_AREAS + 8 * area, base + at[area]);
        set32(bar, QUEUE_AREAS + 8 * area + 4, below(a, 256) ? 0 : next(a));
    }
    set16(bar, QUEUE_VECTOR, below(a, 8));
    set16(bar, QUEUE_ENABLE, 1);
}

static void
start_driver(Attacker *a)
{
    const Function *fn = any_virtio(a);
    uint32_t bar, n;

    if (!fn)
        return;
    bar = bar_of(fn, BAR_STRUCTURES);
    config_write(fn->bdf, 0x04, COMMAND_MEMORY_MASTER);
    set_status(bar, 0);
    if (below(a, 8)) {
        for (uint32_t i = 0; i < 1000 && *(volatile uint8_t *)(uintptr_t)(bar + STATUS); i++)
            pause();
    }
    set_status(bar, 3);
    negotiate(a, bar);
    set_status(bar, 0xb);
    n = *(volatile uint16_t *)(uintptr_t)(bar + NUM_QUEUES);
    for (uint32_t i = 0; i < n && i < 12; i++) {
        /* Nothing that an earlier driver has left in the rings. */
        set16(fn->rings + i * QUEUE_STEP + AT_DRIVER, 2, 0);
        if (below(a, 16))
            place_queue(a, fn, bar, i);
    }
    set_status(bar, 0xf);
}

/* Rings */

static void
put_desc(Attacker *a, const Function *fn, uint32_t table, uint32_t i, uint32_t flags,
         uint32_t next_i)
{
    volatile uint32_t *desc = (volatile uint32_t *)(uintptr_t)(table + 16 * i);
    uint64_t at = any_address(a, fn);
    uint32_t len = below(a, 8) ? below(a, 4) ? 1 + below(a, 4096) : 16 : any_value(a);

    desc[0] = at;
    desc[1] = at >> 32;
    desc[2] = len;
    desc[3] = next_i << 16 | (flags & 0xffff);
}

/* A message at the front of a chain, such as headers of requests are: small numbers. */
static void
put_message(Attacker *a, uint32_t base, uint32_t head)
{
    volatile uint32_t *desc = (volatile uint32_t *)(uintptr_t)(base + 16 * head);
    volatile uint32_t *message = (volatile uint32_t *)(uintptr_t)(base + AT_BUFFERS + 32 * head);

    for (uint32_t i = 0; i < 4; i++)
        message[i] = below(a, 2) ? below(a, 16) : any_value(a);
    desc[0] = base + AT_BUFFERS + 32 * head;
    desc[1] = 0;
    desc[2] = below(a, 4) ? 16 : 1 + below(a, 32);
}

/* The head of a packet of streams (virtio 1.2, 5.10.6). */
typedef struct __attribute__((packed)) Packet {
    uint64_t src_cid, dst_cid;
    uint32_t src_port, dst_port, len;
    uint16_t type, op;
    uint32_t flags, buf_alloc, fwd_cnt;
} Packet;

/* One from the guest to the host, right but for what it says: of few streams, so that some are
 * open. */
static void
put_packet(Attacker *a, uint32_t base, uint32_t head)
{
    volatile uint32_t *desc = (volatile uint32_t *)(uintptr_t)(base + 16 * head);
    uint32_t at = base + AT_BUFFERS + 64 * head;
    uint32_t size = below(a, 2) ? 0 : below(a, 4096);
    const Packet packet = {
        .src_cid = 3,
        .dst_cid = 2,
        .src_port = below(a, 4),
        .dst_port = below(a, 2) ? below(a, 4) : 0x40000000u + below(a, 16),
        .len = size,
        .type = 1,
        .op = below(a, 9),
        .flags = below(a, 4),
        .buf_alloc = below(a, 8) ? 65536 : any_value(a),
        .fwd_cnt = below(a, 4096),
    };

    *(volatile Packet *)(uintptr_t)at = packet;
    desc[0] = at;
    desc[1] = 0;
    desc[2] = sizeof(packet) + (below(a, 2) ? size : 0);
}

static void
offer_chain(Attacker *a, const Function *fn, uint32_t base)
{
    uint32_t head = below(a, 64), n = 1 + below(a, 5);
    volatile uint16_t *avail = (volatile uint16_t *)(uintptr_t)(base + AT_DRIVER);
    bool in = next(a) & 0x100, answered = next(a) & 0x200; /* as requests are, frames are not */

    for (uint32_t i = 0; i < n; i++) {
        uint32_t flags = (i + 1 < n ? 1 : 0) | (i > 0 && (in || (answered && i + 1 == n)) ? 2 : 0);

        if (below(a, 16) == 0)
            flags = next(a) & 7; /* indirect ones among them */
        put_desc(a, fn, base, head + i, flags, below(a, 32) ? head + i + 1 : next(a));
    }
    if (fn->vsock && below(a, 8))
        put_packet(a, base, head);
    else if (below(a, 4))
        put_message(a, base, head);
    avail[0] = below(a, 2);
    avail[2 + below(a, 256)] = head;
    avail[2 + (avail[1] & 63)] = head;
    __asm__ volatile("" : : : "memory");
    avail[1] += below(a, 64) ? 1 : next(a);
}

static void
use_queue(Attacker *a)
{
    const Function *fn = any_virtio(a);
    uint32_t queue = below(a, below(a, 2) ? 3 : 12), bar;

    if (!fn)
        return;
    bar = bar_of(fn, BAR_STRUCTURES);
    for (uint32_t n = 1 + below(a, 4); n > 0; n--)
        offer_chain(a, fn, fn->rings + queue * QUEUE_STEP);
    set16(bar, AT_NOTIFY + 4 * queue, queue);
}

/* fw_cfg's, by a request in RAM: any item, to or from anywhere. */
static void
use_fw_cfg(Attacker *a)
{
    volatile uint32_t *request = (volatile uint32_t *)(uintptr_t)(RINGS + below(a, 16));
    uint32_t key = below(a, 2) ? below(a, 0x40) : next(a) & 0xffff;
    uint64_t at = any_address(a, &functions[0]);

    request[0] = __builtin_bswap32(key << 16 | below(a, 32));
    request[1] = __builtin_bswap32(below(a, 2) ? below(a, 4096) : any_value(a));
    request[2] = __builtin_bswap32(at >> 32);
    request[3] = __builtin_bswap32(at);
    outl(PORT_DMA, below(a, 16) ? 0 : next(a));
    outl(PORT_DMA + 4,
         __builtin_bswap32(below(a, 8) ? (uint32_t)(uintptr_t)request : any_value(a)));
}

/* While the device may be reading it. */
static void
scribble(Attacker *a)
{
    const Function *fn = any_function(a);
    uint32_t at = fn->rings + below(a, 12) * QUEUE_STEP + below(a, AT_BUFFERS);

    for (uint32_t n = below(a, 8); n > 0; n--)
        *(volatile uint32_t *)(uintptr_t)((at & ~3u) + 4 * n) = any_value(a);
}

/* As often as they are here. */
static void (*const actions[])(Attacker *a) = {
    touch_port,   touch_port, touch_config,    touch_ecam,  touch_bar,  touch_bar, touch_memory,
    start_driver, use_queue,  use_queue,       use_queue,   use_queue,  use_queue, scribble,
    use_queue,    touch_bar,  touch_registers, touch_flash, use_fw_cfg,
};

static void
attack(Attacker *a, bool says)
{
    for (;;) {
        actions[below(a, sizeof(actions) / sizeof(actions[0]))](a);
        if (says && ++a->n_actions % ACTIONS_A_WORD == 0)
            put("+");
    }
}

static void
play(uint32_t number)
{
    Attacker a = { .state = &KEPT[1] };

    if (KEPT[0] != KEPT_MAGIC) {
        KEPT[0] = KEPT_MAGIC;
        KEPT[1] = number * 2 + 1;
        KEPT[2] = number * 2 + 0x10001;
    }
    scan();
    attack(&a, true);
}

#ifdef __x86_64__
void
play_hostile(const uint64_t numbers[NUMBERS_MAX])
{
    play(numbers[0]);
}
#else
/* The second vCPU begins as soon as it is awake: there may be no functions yet. */
static void
attack_beside(void)
{
    Attacker a = { .state = &KEPT[2] };

    while (n_functions == 0)
        pause();
    attack(&a, false);
}

void
play_hostile(uint32_t number)
{
    smp_start(attack_beside);
    play(number);
}
#endif
