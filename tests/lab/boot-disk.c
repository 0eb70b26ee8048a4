/* boot-disk: makes an image of a disk that can be booted, by a BIOS and by UEFI, and says which one it is.
 *
 *   boot-disk IMAGE APPLICATION TEXT [iso]
 *
 * A FAT12 file system without partitions, as on a 1.44 MB floppy disk (Microsoft's FAT specification, 1.03), whose
 * boot sector writes TEXT to the first serial port, and whose \EFI\BOOT\BOOTX64.EFI is APPLICATION, with
 * TEXT in its place (tests/lab/boot/app.S).
 *
 * With "iso" it is a CD-ROM's (ECMA-119) that can be booted from a disk, too: the boot sector is the first of all, where a
 * CD-ROM has room for it, and the file system an El Torito image (specification 1.0) for UEFI, which nothing else leads
 * to. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR       512
#define SECTORS      2880
#define FAT_SECTORS  9
#define ROOT_AT      (1 + 2 * FAT_SECTORS)
#define ROOT_ENTRIES 224
#define DATA_AT      (ROOT_AT + ROOT_ENTRIES * 32 / SECTOR)
#define DIRECTORY    0x10
#define END          0xfff

/* Of a CD-ROM, in its own sectors. */
#define ISO_SECTOR  2048
#define ISO_PRIMARY 16
#define ISO_BOOT    17
#define ISO_END     18
#define ISO_CATALOG 19
#define ISO_IMAGE   20
#define ISO_SECTORS (ISO_IMAGE + SECTORS * SECTOR / ISO_SECTOR)

#define BOOT_CODE_AT 0x3e
#define BOOT_TEXT_AT 0x100
#define APP_TEXT_AT  0x200
#define TEXT_MAX     63

static uint8_t disk[SECTORS * SECTOR];
static uint8_t iso[ISO_IMAGE * ISO_SECTOR]; /* what is in front of it on a CD-ROM */

/* mov si, text; mov dx, COM1; until the NUL: lodsb, out; then hlt for ever. */
static const uint8_t boot_code[] = {
    0x31,
    0xc0,
    0x8e,
    0xd8,
    0xbe,
    BOOT_TEXT_AT & 0xff,
    0x7c | BOOT_TEXT_AT >> 8,
    0xba,
    0xf8,
    0x03,
    0xac,
    0x84,
    0xc0,
    0x74,
    0x03,
    0xee,
    0xeb,
    0xf8,
    0xf4,
    0xeb,
    0xfd,
};

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
put16(uint8_t *at, unsigned value)
{
    at[0] = value;
    at[1] = value >> 8;
}

static void
put_boot_code(uint8_t *s, const char *text)
{
    memcpy(s, "\xeb\x3c\x90", 3);
    memcpy(s + BOOT_CODE_AT, boot_code, sizeof(boot_code));
    snprintf((char *)s + BOOT_TEXT_AT, SECTOR - BOOT_TEXT_AT - 2, "\r\n%s: started by a BIOS\r\n",
             text);
    put16(s + 510, 0xaa55);
}

static void
put_boot_sector(const char *text)
{
    uint8_t *s = disk;

    put_boot_code(s, text);
    memcpy(s + 3, "VMCTL   ", 8);
    put16(s + 11, SECTOR);
    s[13] = 1; /* sectors in a cluster */
    put16(s + 14, 1);
    s[16] = 2; /* FATs */
    put16(s + 17, ROOT_ENTRIES);
    put16(s + 19, SECTORS);
    s[21] = 0xf0;
    put16(s + 22, FAT_SECTORS);
    put16(s + 24, 18);
    put16(s + 26, 2);
    s[38] = 0x29;
    memcpy(s + 43, "VMCTL BOOT FAT12   ", 19);
}

static void
put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

/* Numbers in both orders of bytes, ECMA-119, 7.2.3 and 7.3.3. */
static void
put16_both(uint8_t *at, unsigned value)
{
    put16(at, value);
    at[2] = value >> 8;
    at[3] = value;
}

static void
put32_both(uint8_t *at, uint32_t value)
{
    put32(at, value);
    for (unsigned i = 0; i < 4; i++)
        at[4 + i] = value >> (24 - 8 * i);
}

static uint8_t *
put_descriptor(unsigned sector, uint8_t type)
{
    uint8_t *s = iso + sector * ISO_SECTOR;

    s[0] = type;
    memcpy(s + 1, "CD001\x01", 6);
    return s;
}

/* 8.4; no file of its own is on it. */
static void
put_primary(void)
{
    uint8_t *s = put_descriptor(ISO_PRIMARY, 1);

    memset(s + 8, ' ', 64);
    memcpy(s + 40, "VMCTL_BOOT", 10);
    put32_both(s + 80, ISO_SECTORS);
    put16_both(s + 120, 1);
    put16_both(s + 124, 1);
    put16_both(s + 128, ISO_SECTOR);
    s[881] = 1;
}

/* El Torito, 2.1 and 2.2: UEFI's, bootable, without emulation. The words of the first entry add up to 0. */
static void
put_catalog(void)
{
    uint8_t *s = iso + ISO_CATALOG * ISO_SECTOR;

    s[0] = 1;
    s[1] = 0xef;
    put16(s + 30, 0xaa55);
    put16(s + 28, 0x10000 - 0xef01 - 0xaa55 + 0x10000);
    s[32] = 0x88;
    put16(s + 38, SECTORS);
    put32(s + 40, ISO_IMAGE);
}

static void
put_iso(const char *text)
{
    put_boot_code(iso, text);
    put_primary();
    memcpy(put_descriptor(ISO_BOOT, 0) + 7, "EL TORITO SPECIFICATION", 23);
    put32(iso + ISO_BOOT * ISO_SECTOR + 71, ISO_CATALOG);
    put_descriptor(ISO_END, 255);
    put_catalog();
}

/* Twelve bits for each cluster, in both FATs. */
static void
put_fat(unsigned cluster, unsigned next)
{
    for (unsigned fat = 0; fat < 2; fat++) {
        uint8_t *at = disk + (1 + fat * FAT_SECTORS) * SECTOR + cluster * 3 / 2;

        if (cluster % 2) {
            at[0] = (at[0] & 0x0f) | next << 4;
            at[1] = next >> 4;
        } else {
            at[0] = next;
            at[1] = (at[1] & 0xf0) | next >> 8;
        }
    }
}

static uint8_t *
cluster_at(unsigned cluster)
{
    return disk + (DATA_AT + cluster - 2) * SECTOR;
}

static void
put_entry(uint8_t *at, const char *name, uint8_t attributes, unsigned cluster, unsigned size)
{
    memcpy(at, name, 11);
    at[11] = attributes;
    put16(at + 26, cluster);
    put16(at + 28, size);
    put16(at + 30, size >> 16);
}

static void
put_directory(unsigned cluster, unsigned parent)
{
    put_fat(cluster, END);
    put_entry(cluster_at(cluster), ".          ", DIRECTORY, cluster, 0);
    put_entry(cluster_at(cluster) + 32, "..         ", DIRECTORY, parent, 0);
}

static void
put_application(const char *path, const char *text)
{
    FILE *file = fopen(path, "rb");
    uint8_t *to = cluster_at(4);
    size_t size;
    unsigned last;

    if (!file)
        die(path);
    size = fread(to, 1, (SECTORS - DATA_AT - 2) * SECTOR, file);
    fclose(file);
    snprintf((char *)to + APP_TEXT_AT, TEXT_MAX + 1, "%s", text);
    last = 4 + (size - 1) / SECTOR;
    for (unsigned i = 4; i <= last; i++)
        put_fat(i, i < last ? i + 1 : END);
    put_entry(cluster_at(3) + 64, "BOOTX64 EFI", 0x20, 4, size);
}

int
main(int argc, char **argv)
{
    int on_cdrom = argc == 5 && strcmp(argv[4], "iso") == 0;
    FILE *image;

    if (argc != 4 && !on_cdrom) {
        fprintf(stderr, "usage: boot-disk IMAGE APPLICATION TEXT [iso]\n");
        return 2;
    }
    put_boot_sector(argv[3]);
    put_fat(0, 0xff0);
    put_fat(1, END);
    put_entry(disk + ROOT_AT * SECTOR, "EFI        ", DIRECTORY, 2, 0);
    put_directory(2, 0);
    put_entry(cluster_at(2) + 64, "BOOT       ", DIRECTORY, 3, 0);
    put_directory(3, 2);
    put_application(argv[2], argv[3]);
    put_iso(argv[3]);
    image = fopen(argv[1], "wb");
    if (!image || (on_cdrom && fwrite(iso, sizeof(iso), 1, image) != 1) ||
        fwrite(disk, sizeof(disk), 1, image) != 1 || fclose(image) != 0)
        die(argv[1]);
    return 0;
}
