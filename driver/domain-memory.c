#include "driver/domain-memory.h"

#include "driver/error.h"
#include "driver/hugepages.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_KIB    4
#define THREADS_MAX 64

static const char *const sources[] = { "file", "anonymous", "memfd", NULL };
static const char *const accesses[] = { "shared", "private", NULL };
static const char *const allocations[] = { "immediate", "ondemand", NULL };

void
domain_memory_init(DomainMemory *memory)
{
    memset(memory, 0, sizeof(*memory));
    memory->source = memory->access = memory->allocation = -1;
}

/* Sizes */

/* The bytes in one @unit, 0 for an unknown one: a letter alone or with "iB" is a power of 1024,
 * with "B" one of 1000, in either case of letters. */
static guint64
unit_size(const char *unit)
{
    static const char prefixes[] = "kmgtpe";
    const char *prefix = strchr(prefixes, g_ascii_tolower(*unit));
    guint64 size = 1;

    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
        g_ascii_strcasecmp(unit, "bytes") == 0)
        return 1;
    if (!*unit || !prefix)
        return 0;
    for (const char *at = prefixes; at <= prefix; at++)
        size *= unit[1] && g_ascii_strcasecmp(unit + 1, "iB") != 0 ? 1000 : 1024;
    return !unit[1] || !g_ascii_strcasecmp(unit + 1, "iB") || !g_ascii_strcasecmp(unit + 1, "B")
               ? size
               : 0;
}

/* Rounds up to KiB; sizes are signed 64-bit numbers of bytes at most, as in libvirt. */
static gboolean
scale_to_kib(guint64 value, const char *unit, guint64 *ret_kib, GError **error)
{
    guint64 size = unit_size(unit);
    guint64 bytes;

    if (!size)
        return driver_error(error, VIR_ERR_INVALID_ARG, "unknown suffix '%s'", unit);
    if (!g_uint64_checked_mul(&bytes, value, size) || bytes > G_MAXINT64)
        return driver_error(error, VIR_ERR_OVERFLOW, "value too large: %" G_GUINT64_FORMAT "%s",
                            value, unit);
    *ret_kib = bytes / 1024 + (bytes % 1024 != 0);
    return TRUE;
}

gboolean
domain_memory_parse_size(const XmlNode *root, const char *name, guint64 *ret_kib, GError **error)
{
    g_autofree char *text = xml_child_text(root, name);
    g_autofree char *unit = NULL;
    guint64 value;

    if (!text)
        return TRUE;
    if (!xml_parse_uint64(text, &value))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value '%s' for element or attribute './%s[1]'", text, name);
    unit = xml_attr(xml_child(root, name), "unit");
    return scale_to_kib(value, unit && *unit ? unit : "KiB", ret_kib, error);
}

/* Backing */

static gboolean
parse_page(const XmlNode *page, guint64 *ret_kib, GError **error)
{
    g_autofree char *size = xml_attr(page, "size");
    g_autofree char *unit = xml_attr(page, "unit");
    g_autofree char *nodeset = xml_attr(page, "nodeset");
    guint64 value;

    if (!size)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing element or attribute './@size'");
    if (!xml_parse_uint64(size, &value))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value '%s' for element or attribute './@size'", size);
    if (!scale_to_kib(value, unit && *unit ? unit : "KiB", ret_kib, error))
        return FALSE;
    if (*ret_kib == 0)
        return driver_error(error, VIR_ERR_XML_DETAIL, "hugepage size can't be zero");
    if (nodeset && strcmp(nodeset, "0") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'nodeset' of <page> is not supported yet by "
                            "this machine, which has node 0",
                            nodeset);
    return TRUE;
}

/* There is one node, and so one size. */
static gboolean
parse_hugepages(DomainMemory *memory, const XmlNode *node, GError **error)
{
    const XmlNode *hugepages = xml_child(node, "hugepages");
    const XmlNode *page = hugepages ? xml_first(hugepages) : NULL;
    guint64 kib;

    memory->hugepages = hugepages != NULL;
    for (; page; page = xml_next(page)) {
        if (xml_namespace(page) || strcmp(xml_name(page), "page") != 0)
            continue;
        if (!parse_page(page, &kib, error))
            return FALSE;
        if (memory->page_kib)
            return driver_error(error, VIR_ERR_XML_DETAIL,
                                "two master hugepages detected: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT, kib,
                                memory->page_kib);
        memory->page_kib = kib;
    }
    return TRUE;
}

static gboolean
parse_word(const XmlNode *node, const char *element, const char *attr, const char *const *words,
           int *ret, GError **error)
{
    const XmlNode *child = xml_child(node, element);
    g_autofree char *text = child ? xml_attr(child, attr) : NULL;

    if (!text || xml_attr_word(child, attr, XML_OPTIONAL, words, ret, NULL))
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown memoryBacking/%s/%s '%s'",
                        element, attr, text);
}

gboolean
domain_memory_parse(DomainMemory *memory, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "memoryBacking");
    const XmlNode *allocation;

    if (!node)
        return TRUE;
    memory->nosharepages = xml_child(node, "nosharepages") != NULL;
    memory->locked = xml_child(node, "locked") != NULL;
    memory->discard = xml_child(node, "discard") != NULL;
    allocation = xml_child(node, "allocation");
    if (!parse_word(node, "source", "type", sources, &memory->source, error) ||
        !parse_word(node, "access", "mode", accesses, &memory->access, error) ||
        !parse_word(node, "allocation", "mode", allocations, &memory->allocation, error) ||
        (allocation &&
         !xml_attr_uint(allocation, "threads", XML_OPTIONAL, &memory->threads, error)) ||
        !parse_hugepages(memory, node, error))
        return FALSE;
    memory->backed = memory->hugepages || memory->nosharepages || memory->locked ||
                     memory->discard || memory->source >= 0 || memory->access >= 0 ||
                     memory->allocation >= 0 || memory->threads;
    return TRUE;
}

static gboolean
check_hugepages(const DomainMemory *memory, guint64 kib, GError **error)
{
    if (!memory->hugepages)
        return TRUE;
    if (memory->allocation == 1)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "hugepages are not allowed with memory allocation ondemand");
    if (memory->source == DOMAIN_MEMORY_ANONYMOUS)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "hugepages are not allowed with anonymous memory source");
    if (memory->page_kib && kib % memory->page_kib)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "memory of %" G_GUINT64_FORMAT " KiB, which is not a multiple of "
                            "huge pages of %" G_GUINT64_FORMAT " KiB, is not supported by this "
                            "machine",
                            kib, memory->page_kib);
    return TRUE;
}

gboolean
domain_memory_check(const DomainMemory *memory, guint64 kib, GError **error)
{
    if (memory->threads > THREADS_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'threads' of <allocation> is not supported by "
                            "this machine, which takes %d",
                            memory->threads, THREADS_MAX);
    return check_hugepages(memory, kib, error);
}

/* Formatting */

static void
format_flag(XmlWriter *out, const char *name, gboolean on)
{
    if (!on)
        return;
    xml_open(out, name);
    xml_close(out);
}

static void
format_word(XmlWriter *out, const char *name, const char *attr, const char *const *words, int i)
{
    if (i < 0)
        return;
    xml_open(out, name);
    xml_put_attr(out, attr, words[i]);
    xml_close(out);
}

static void
format_hugepages(const DomainMemory *memory, XmlWriter *out)
{
    if (!memory->hugepages)
        return;
    xml_open(out, "hugepages");
    if (memory->page_kib) {
        xml_open(out, "page");
        xml_put_attr_uint(out, "size", memory->page_kib);
        xml_put_attr(out, "unit", "KiB");
        xml_close(out);
    }
    xml_close(out);
}

static void
format_allocation(const DomainMemory *memory, XmlWriter *out)
{
    if (memory->allocation < 0 && !memory->threads)
        return;
    xml_open(out, "allocation");
    if (memory->allocation >= 0)
        xml_put_attr(out, "mode", allocations[memory->allocation]);
    if (memory->threads)
        xml_put_attr_uint(out, "threads", memory->threads);
    xml_close(out);
}

void
domain_memory_format(const DomainMemory *memory, XmlWriter *out)
{
    if (!memory->backed)
        return;
    xml_open(out, "memoryBacking");
    format_hugepages(memory, out);
    format_flag(out, "nosharepages", memory->nosharepages);
    format_flag(out, "locked", memory->locked);
    format_word(out, "source", "type", sources, memory->source);
    format_word(out, "access", "mode", accesses, memory->access);
    format_allocation(memory, out);
    format_flag(out, "discard", memory->discard);
    xml_close(out);
}

/* Lowering */

static guint64
bytes_of(guint64 kib)
{
    return (kib + PAGE_KIB - 1) / PAGE_KIB * PAGE_KIB * 1024;
}

static int
open_memfd(GError **error)
{
    int fd = memfd_create("guest-ram", MFD_CLOEXEC);

    if (fd < 0)
        driver_error_errno(error, errno, "cannot make a file in memory for the guest's");
    return fd;
}

/* Nobody else finds a file without a name, and what is in it is never written back once the guest is gone:
 * that is all that <discard/> asks for. */
static int
open_nameless(const char *dir, GError **error)
{
    int fd = -1;

    if (g_mkdir_with_parents(dir, 0700) == 0)
        fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        driver_error_errno(error, errno, "cannot make a file for the guest's memory in '%s'", dir);
    return fd;
}

static gboolean
is_private_ram(const DomainMemory *memory)
{
    return !memory->hugepages &&
           (memory->source == DOMAIN_MEMORY_ANONYMOUS || memory->source < 0) && memory->access != 0;
}

static int
open_ram(const DomainMemory *memory, guint64 bytes, const char *dir, GError **error)
{
    if (memory->hugepages)
        return hugepages_open(memory->page_kib, bytes, error);
    if (memory->source == DOMAIN_MEMORY_FILE)
        return open_nameless(dir, error);
    return open_memfd(error);
}

/* A memfd is there to be shared, so without a word about access it is; others are not. */
static gboolean
put_file(const DomainMemory *memory, guint64 bytes, const char *dir, VmmMsg *msg, GError **error)
{
    int fd = open_ram(memory, bytes, dir, error);

    if (fd < 0)
        return FALSE;
    if (ftruncate(fd, bytes) < 0) {
        driver_error_errno(
            error, errno,
            "cannot make a file of %" G_GUINT64_FORMAT " bytes for the guest's memory", bytes);
        close(fd);
        return FALSE;
    }
    vmm_msg_put_fd(msg, "ram", fd);
    if (memory->access == 0 || (memory->access < 0 && memory->source == DOMAIN_MEMORY_MEMFD))
        vmm_msg_put_bool(msg, "ram-shared", TRUE);
    return TRUE;
}

gboolean
domain_memory_lower(const DomainMemory *memory, guint64 kib, const char *dir, VmmMsg *msg,
                    GError **error)
{
    vmm_msg_put_u64(msg, "memory", bytes_of(kib));
    if (memory->locked)
        vmm_msg_put_bool(msg, "ram-locked", TRUE);
    if (memory->allocation == 0)
        vmm_msg_put_u64(msg, "ram-threads", MAX(memory->threads, 1));
    return is_private_ram(memory) || put_file(memory, bytes_of(kib), dir, msg, error);
}

guint64
domain_memory_locked(const DomainMemory *memory, guint64 kib)
{
    return memory->locked ? bytes_of(kib) : 0;
}
