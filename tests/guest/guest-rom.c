#include "tests/guest/guest-rom.h"

#include "tests/guest/vmm-harness.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FOUR_GIB  0x100000000ull
#define STUB_SIZE 0x10000u
#define FIELDS_AT 0xff00u
#define VECTOR_AT 0xfff0u

/* In the stub. */
typedef struct Fields {
    guint32 source, place, n_bytes, entry;
    char words[VECTOR_AT - FIELDS_AT - 16];
} Fields;

static char *
read_file(const char *name)
{
    g_autofree char *path = vmm_built(name);
    g_autoptr(GError) error = NULL;
    char *contents = NULL;

    g_file_get_contents(path, &contents, NULL, &error);
    g_assert_no_error(error);
    return contents;
}

/* PVH's entry, by the note that says where it is: the ELF header's is the same. */
static const Elf64_Phdr *
first_segment(const char *file, guint32 *ret_entry)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Phdr *segment = (const Elf64_Phdr *)(file + header->e_phoff);

    g_assert_cmpuint(header->e_ident[EI_CLASS], ==, ELFCLASS64);
    g_assert_cmpuint(segment->p_type, ==, PT_LOAD);
    *ret_entry = header->e_entry;
    return segment;
}

static const char *
find_stub(const char *file)
{
    const Elf32_Ehdr *header = (const Elf32_Ehdr *)file;
    const Elf32_Phdr *segment = (const Elf32_Phdr *)(file + header->e_phoff);

    while (segment->p_type != PT_LOAD || segment->p_filesz != STUB_SIZE)
        segment++;
    return file + segment->p_offset;
}

int
guest_rom(const char *words)
{
    g_autofree char *guest = read_file("tests/guest/ring3/ring3.elf");
    g_autofree char *stub = read_file("tests/guest/ring3/rom.elf");
    int fd = memfd_create("rom", MFD_CLOEXEC);
    Fields fields = { .words = "" };
    const Elf64_Phdr *segment = first_segment(guest, &fields.entry);
    gsize below = (segment->p_filesz + STUB_SIZE - 1) / STUB_SIZE * STUB_SIZE;

    fields.source = FOUR_GIB - STUB_SIZE - below;
    fields.place = segment->p_paddr;
    fields.n_bytes = segment->p_filesz;
    g_assert_cmpuint(g_strlcpy(fields.words, words, sizeof(fields.words)), <, sizeof(fields.words));
    g_assert_no_errno(ftruncate(fd, below + STUB_SIZE));
    g_assert_cmpint(pwrite(fd, guest + segment->p_offset, fields.n_bytes, 0), ==, fields.n_bytes);
    g_assert_cmpint(pwrite(fd, find_stub(stub), STUB_SIZE, below), ==, STUB_SIZE);
    g_assert_cmpint(pwrite(fd, &fields, sizeof(fields), below + FIELDS_AT), ==, sizeof(fields));
    return fd;
}
