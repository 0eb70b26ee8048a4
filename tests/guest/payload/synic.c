/* Hyper-V's synthetic interrupt controller and timers, as Windows has them: a timer's messages in a page of ours
 * ("Hypervisor Top Level Functional Specification" 6.0b, 11 and 12). */
#include "payload.h"

#define MSR_GUEST_OS     0x40000000u
#define MSR_HYPERCALL    0x40000001u
#define MSR_SCONTROL     0x40000080u
#define MSR_SIMP         0x40000083u
#define MSR_EOM          0x40000084u
#define MSR_SINT         0x40000090u
#define MSR_TIMER_CONFIG 0x400000b0u
#define MSR_TIMER_COUNT  0x400000b1u

#define OS        0x8100000000000000ull /* an open source one */
#define ENABLED   1u
#define SINT      2u
#define VECTOR    0x30u /* which is never taken: messages are looked for */
#define AUTO_EOI  (1u << 17)
#define PERIODIC  (1u << 1)
#define TO_SINT   (SINT << 16)
#define PERIOD    100000u /* of 100 ns */
#define EXPIRED   0x80000010u
#define CODE_PAGE 0x300000u
#define MESSAGES  0x301000u
#define INPUT     0x302000u
#define PAGE      4096u

#define POST_MESSAGE 0x5cu
#define SIGNAL_EVENT 0x5du
#define FAST         (1u << 16) /* the input is in a register */

typedef struct Message {
    uint32_t type, flags, origin[2];
    uint32_t timer;
} Message;

static void
wrmsr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* What becomes of it: the status of the result. */
static uint32_t
hypercall(uint32_t code, uint32_t input)
{
    static const uint32_t page = CODE_PAGE;
    uint32_t low = code, high = 0;

    __asm__ volatile("call *%4"
                     : "+a"(low), "+d"(high)
                     : "b"(0), "c"(input), "m"(page), "S"(0), "D"(0)
                     : "memory", "cc");
    return low & 0xffff;
}

static void
say(const char *what, uint32_t number)
{
    put(what);
    put_number(number);
    put("\n");
}

/* The page is filled before, for it is to be cleared. */
static void
begin(void)
{
    for (uint32_t i = 0; i < PAGE; i += 4)
        *(volatile uint32_t *)(MESSAGES + i) = ~0u;
    wrmsr(MSR_GUEST_OS, OS);
    wrmsr(MSR_HYPERCALL, CODE_PAGE | ENABLED);
    wrmsr(MSR_SIMP, MESSAGES | ENABLED);
    wrmsr(MSR_SCONTROL, ENABLED);
    wrmsr(MSR_SINT + SINT, VECTOR | AUTO_EOI);
    say("synic: first word ", *(volatile uint32_t *)MESSAGES);
    say("synic: a message to nobody ", hypercall(POST_MESSAGE, INPUT));
    say("synic: an event to nobody ", hypercall(SIGNAL_EVENT | FAST, 1));
    wrmsr(MSR_TIMER_COUNT, PERIOD);
    wrmsr(MSR_TIMER_CONFIG, ENABLED | PERIODIC | TO_SINT);
}

static void
take(volatile Message *message)
{
    while (!message->type)
        pause();
    if (message->type != EXPIRED || message->timer != 0) {
        say("synic: an unknown message, ", message->type);
        finish(1);
    }
    message->type = 0;
    wrmsr(MSR_EOM, 0); /* one may wait */
}

/* Says each @number-th message, for as long as it runs. */
void
play_synic(uint32_t number)
{
    volatile Message *message = (volatile Message *)(MESSAGES + SINT * 256);

    begin();
    for (uint32_t i = 1;; i++) {
        take(message);
        if (i % number == 0)
            say("synic: messages ", i);
    }
}
