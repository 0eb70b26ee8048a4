/* Fuzzes the stream that saved state is (state-job.h): heads of sections, RAM to anywhere, an end anywhere. Whatever it is,
 * reading it ends, with a reason where it fails, and nothing but this machine's RAM and sections has been written.
 *
 * The input is a row of pieces, each a byte that says what and a few that say how, so that pages need not be in it. */
#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/guest-state.h"
#include "qemu-kvm-backend/state-job.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB        (1ull << 20)
#define RAM        (1 * MIB)
#define PIECES_MAX 100
#define PAGES_MAX  16
#define PAGE       4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Input {
    const uint8_t *data;
    size_t size;
} Input;

static uint64_t
take(Input *input, unsigned n)
{
    uint64_t value = 0;

    n = n < input->size ? n : input->size;
    memcpy(&value, input->data, n);
    input->data += n;
    input->size -= n;
    return value;
}

/* So many pages, or nearly. */
static void
put_pages(StateOut *out, unsigned n, unsigned less)
{
    static uint8_t pages[PAGES_MAX * PAGE];

    memset(pages, 0x5a, sizeof(pages));
    state_put_bytes(out, pages, n * PAGE > less ? n * PAGE - less : 0);
}

static void
put_ram(StateOut *out, Input *input)
{
    unsigned n = take(input, 1) % (PAGES_MAX + 1), odd = take(input, 1);
    uint64_t gpa = odd & 1 ? take(input, 8) : take(input, 2) % (RAM / PAGE + 8) * PAGE;
    uint64_t length = odd & 2 ? take(input, 8) : sizeof(gpa) + n * PAGE;

    state_put_head(out, STATE_SECTION_RAM, "", odd & 4 ? take(input, 4) : 1, length);
    state_put_bytes(out, &gpa, sizeof(gpa));
    put_pages(out, n, odd & 8 ? take(input, 2) : 0);
}

/* One of a device, say, with so many bytes of the input. */
static void
put_section(StateOut *out, Input *input, const char *class)
{
    size_t n = take(input, 1);
    unsigned odd = take(input, 1);

    n = n < input->size ? n : input->size;
    state_put_head(out, class, odd & 1 ? "id" : "", 1, odd & 2 ? take(input, 8) : n);
    n = n < input->size ? n : input->size;
    state_put_bytes(out, input->data, n);
    input->data += n;
    input->size -= n;
}

static void
put_bytes(StateOut *out, Input *input)
{
    size_t n = take(input, 1);

    n = n < input->size ? n : input->size;
    state_put_bytes(out, input->data, n);
    input->data += n;
    input->size -= n;
}

static void
put_piece(StateOut *out, Input *input)
{
    switch (take(input, 1) % 8) {
    case 0:
        put_bytes(out, input);
        break;
    case 1:
        put_section(out, input, "serial");
        break;
    case 2:
        put_section(out, input, "machine");
        break;
    case 3:
        put_section(out, input, STATE_SECTION_END);
        break;
    case 4:
        state_put_header(out);
        break;
    default:
        put_ram(out, input);
        break;
    }
}

static int
new_stream(Input *input)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);
    StateOut *out = state_out_new();
    const void *bytes;
    size_t size;

    if (take(input, 1) != 0xff)
        state_put_header(out);
    for (unsigned i = 0; i < PIECES_MAX && input->size > 0; i++)
        put_piece(out, input);
    bytes = state_out_bytes(out, &size);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
        abort();
    state_out_free(out);
    return fd;
}

/* Of whatever machine it is, the stream is read on: few inputs would come past it. */
static bool
check(void *data, const StateSection *first, VmmError *err)
{
    static const MachineConfig config = { .memory = RAM, .topology.n_vcpus = 1 };
    bool asleep = false;
    const GuestParts parts = { .config = &config, .asleep = &asleep };

    if (!guest_state_check(&parts, first, err) && !err->text[0])
        abort();
    return true;
}

static void
ended(void *data)
{
    loop_quit(data);
}

static void
check_result(const StateJob *job)
{
    VmmError err = { .text = "" };
    bool cancelled;

    if (!state_job_result(job, &cancelled, &err) && !err.text[0])
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    Loop *loop = loop_new();
    Memory *memory = memory_new(RAM, NULL);
    const StateJobOwner owner = { .check = check, .ended = ended, .data = loop };
    VmmError err;
    StateJob *job = state_job_restore(loop, new_stream(&input), memory, &owner, &err);

    if (!job)
        abort();
    loop_run(loop);
    check_result(job);
    state_job_free(job);
    memory_free(memory);
    loop_free(loop);
    return 0;
}
