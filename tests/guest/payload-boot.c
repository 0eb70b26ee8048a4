#include "tests/guest/payload-boot.h"

#include "tests/guest/vmm-harness.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTOR    512
#define CHUNK     (64 * SECTOR) /* what the boot sector reads at once */
#define DISK_SIZE (1 << 20)
#define FIELDS_AT 0x180

/* In the boot sector. */
typedef struct __attribute__((packed)) Fields {
    guint32 entry, n_bytes;
    guint16 n_chunks;
    char words[SECTOR - 2 - FIELDS_AT - 10];
} Fields;

/* What an ELF file has in the segment of its entry; free with g_free(). */
static guint8 *
load(const char *name, gsize *ret_size, guint32 *ret_entry)
{
    g_autofree char *path = vmm_built(name);
    g_autofree char *file = NULL;
    g_autoptr(GError) error = NULL;
    const Elf32_Phdr *segment;
    const Elf32_Ehdr *header;

    g_file_get_contents(path, &file, NULL, &error);
    g_assert_no_error(error);
    header = (const Elf32_Ehdr *)file;
    segment = (const Elf32_Phdr *)(file + header->e_phoff);
    while (segment->p_type != PT_LOAD || header->e_entry - segment->p_vaddr >= segment->p_filesz)
        segment++;
    *ret_size = segment->p_filesz;
    *ret_entry = header->e_entry;
    return g_memdup2(file + segment->p_offset, segment->p_filesz);
}

int
payload_disk(const char *words)
{
    int fd = memfd_create("disk", MFD_CLOEXEC);
    gsize sector_size, size;
    guint32 start, entry;
    g_autofree guint8 *sector = load("tests/guest/payload/boot.elf", &sector_size, &start);
    g_autofree guint8 *payload = load("tests/guest/payload/payload.elf", &size, &entry);
    Fields fields = { .entry = entry, .n_bytes = size, .n_chunks = (size + CHUNK - 1) / CHUNK };

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(sector_size, ==, SECTOR);
    g_assert_cmpuint(g_snprintf(fields.words, sizeof(fields.words), "payload %s", words), <,
                     sizeof(fields.words));
    memcpy(sector + FIELDS_AT, &fields, sizeof(fields));
    g_assert_no_errno(ftruncate(fd, DISK_SIZE));
    g_assert_cmpint(pwrite(fd, sector, SECTOR, 0), ==, SECTOR);
    g_assert_cmpint(pwrite(fd, payload, size, SECTOR), ==, size);
    return fd;
}

int
payload_kernel(void)
{
    int fd = memfd_create("kernel", MFD_CLOEXEC);
    gsize setup_size, size;
    guint32 start, entry;
    g_autofree guint8 *setup = load("tests/guest/payload/setup.elf", &setup_size, &start);
    g_autofree guint8 *payload = load("tests/guest/payload/payload.elf", &size, &entry);
    struct setup_header *header =
        (struct setup_header *)(setup + offsetof(struct boot_params, hdr));

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(setup_size, ==, 2 * SECTOR);
    header->syssize = size / 16;
    header->code32_start = entry;
    g_assert_cmpint(pwrite(fd, setup, setup_size, 0), ==, setup_size);
    g_assert_cmpint(pwrite(fd, payload, size, setup_size), ==, size);
    return fd;
}
