/* What the application does: it counts its starts in a variable that outlives the guest, says so on the first
 * serial port, and after the first start resets the machine. */
#include <stdint.h>

#define COM1                      0x3f8
#define NON_VOLATILE_BOOT_RUNTIME 7
#define RESET_COLD                0

#define EFIAPI __attribute__((ms_abi))

typedef struct Guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
} Guid;

/* UEFI 2.10, 8.1 and 4.3, as far as used. */
typedef struct RuntimeServices {
    uint8_t header[24];
    void *times[4];
    void *virtual_map[2];
    EFIAPI uint64_t (*get_variable)(const uint16_t *name, const Guid *vendor, uint32_t *attributes,
                                    uint64_t *size, void *data);
    void *next_name;
    EFIAPI uint64_t (*set_variable)(const uint16_t *name, const Guid *vendor, uint32_t attributes,
                                    uint64_t size, const void *data);
    void *monotonic;
    EFIAPI void (*reset_system)(unsigned type, uint64_t status, uint64_t size, const void *data);
} RuntimeServices;

typedef struct SystemTable {
    uint8_t header[24];
    void *console[8];
    const RuntimeServices *runtime;
} SystemTable;

EFIAPI uint64_t app_start(void *handle, const SystemTable *system);

extern const char text[64] __attribute__((visibility("hidden")));

static void
put(char c)
{
    __asm__ volatile("outb %0, %w1" : : "a"(c), "Nd"(COM1));
}

static void
say(const char *words)
{
    while (*words)
        put(*words++);
}

EFIAPI uint64_t
app_start(void *handle, const SystemTable *system)
{
    static const uint16_t name[] = { 'S', 't', 'a', 'r', 't', 's', 0 };
    static const Guid vendor = { 0x7f6c3d52, 0x1c5b, 0x4b1e, { 0x9d, 0x2a, 0, 1, 2, 3, 4, 5 } };
    const RuntimeServices *runtime = system->runtime;
    uint64_t size = 1, failed;
    uint8_t n = 0;

    (void)handle;
    if (runtime->get_variable(name, &vendor, 0, &size, &n))
        n = 0;
    n++;
    failed = runtime->set_variable(name, &vendor, NON_VOLATILE_BOOT_RUNTIME, 1, &n);
    say("\r\n");
    say(text);
    say(failed ? ": no variables" : ": started by UEFI for time ");
    put('0' + n);
    say("\r\n");
    if (n == 1)
        runtime->reset_system(RESET_COLD, 0, 0, 0);
    for (;;)
        __asm__ volatile("hlt");
}
