#include "driver/device-stats.h"

#include "driver/device-disk.h"
#include "driver/device-figures.h"
#include "driver/device-interface.h"
#include "driver/disk.h"
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/test-default.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Images of guests that do not run */

/* Bytes: what the guest will see, what the file takes, how long it is. */
typedef struct ImageSizes {
    guint64 capacity, allocation, physical;
} ImageSizes;

static gboolean
measure(int fd, const char *path, ImageSizes *ret, GError **error)
{
    ImageHeader header;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "cannot stat file '%s'", path);
    *ret = (ImageSizes){ 0, st.st_blocks * 512ull, st.st_size };
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(fd, BLKGETSIZE64, &ret->physical) < 0)
            return driver_error_errno(error, errno, "failed to seek to end of %s", path);
        ret->allocation = ret->physical;
    }
    if (!image_header_read(fd, path, &header, error))
        return FALSE;
    ret->capacity = header.size;
    image_header_clear(&header);
    return TRUE;
}

/* Whatever the path is, opening it does not wait. */
static gboolean
image_sizes(const char *path, ImageFormat format, ImageSizes *ret, GError **error)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    gboolean good;

    if (fd < 0)
        return driver_error_errno(error, errno, "Failed to open file '%s'", path);
    good = measure(fd, path, ret, error);
    close(fd);
    if (good && format == IMAGE_RAW)
        ret->capacity = ret->physical;
    return good;
}

/* The group "block" */

typedef struct Record {
    GVariantBuilder *out;
    const char *group;
    guint i;
} Record;

/* Without a format string, which takes twice as long. */
static void
put(const Record *record, const char *name, GVariant *value)
{
    char *key = g_strdup_printf("%s.%u.%s", record->group, record->i, name);

    g_variant_builder_add_value(record->out,
                                g_variant_new_dict_entry(g_variant_new_take_string(key),
                                                         g_variant_new_variant(value)));
}

/* A field, and the figure that it shows. */
typedef struct Field {
    const char *name;
    FigureKey key;
} Field;

static void
put_fields(const Record *record, const DeviceFigures *figures, const Field *fields, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (figures->known[fields[i].key])
            put(record, fields[i].name, g_variant_new_uint64(figures->values[fields[i].key]));
    }
}

static void
put_image(const Record *record, const char *path, ImageFormat format)
{
    ImageSizes sizes;

    if (!image_sizes(path, format, &sizes, NULL))
        return;
    put(record, "allocation", g_variant_new_uint64(sizes.allocation));
    put(record, "capacity", g_variant_new_uint64(sizes.capacity));
    put(record, "physical", g_variant_new_uint64(sizes.physical));
}

static void
put_live_disk(const Record *record, const DeviceFigures *figures)
{
    static const Field fields[] = {
        { "rd.reqs", FIGURE_RD_REQUESTS },   { "rd.bytes", FIGURE_RD_BYTES },
        { "rd.times", FIGURE_RD_TIME_NS },   { "wr.reqs", FIGURE_WR_REQUESTS },
        { "wr.bytes", FIGURE_WR_BYTES },     { "wr.times", FIGURE_WR_TIME_NS },
        { "fl.reqs", FIGURE_FL_REQUESTS },   { "fl.times", FIGURE_FL_TIME_NS },
        { "allocation", FIGURE_WRITTEN_TO }, { "capacity", FIGURE_CAPACITY },
        { "physical", FIGURE_ALLOCATED },
    };

    put_fields(record, figures, fields, G_N_ELEMENTS(fields));
    if (figures->values[FIGURE_THRESHOLD])
        put(record, "threshold", g_variant_new_uint64(figures->values[FIGURE_THRESHOLD]));
}

static void
put_names(const Record *record, const char *target, const char *source)
{
    put(record, "name", g_variant_new_string(target));
    if (source)
        put(record, "path", g_variant_new_string(source));
}

/* One of a domain that does not run. */
static void
add_resting_disk(gpointer data, const char *target, const char *source, ImageFormat format)
{
    Record *record = data;

    put_names(record, target, source);
    if (source)
        put_image(record, source, format);
    record->i++;
}

static void
add_disk(const Domain *domain, const Disk *disk, Record *record)
{
    const DeviceFigures *figures = device_figures_of(domain, disk->dev.alias);

    if (!domain_is_active(domain)) {
        add_resting_disk(record, disk->target, disk->source, disk->format);
        return;
    }
    put_names(record, disk->target, disk->source);
    if (figures)
        put_live_disk(record, figures);
    record->i++;
}

/* What is behind a running guest's disk is only read, and nobody counts that. */
static void
add_backing(const Domain *domain, const Disk *disk, Record *record)
{
    for (guint i = 0; disk->backing && i < disk->backing->len; i++) {
        const DiskBacking *backing = g_ptr_array_index(disk->backing, i);

        put(record, "name", g_variant_new_string(disk->target));
        put(record, "path", g_variant_new_string(backing->path));
        put(record, "backingIndex", g_variant_new_uint32(i + 1));
        if (!domain_is_active(domain))
            put_image(record, backing->path, backing->format);
        record->i++;
    }
}

/* How many there are stands before them. */
static guint
count(const DomainDef *def, const DeviceKind *kind, gboolean backing)
{
    guint n = 0;

    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != kind)
            continue;
        n++;
        if (backing && kind == &device_disk && ((const Disk *)dev)->backing)
            n += ((const Disk *)dev)->backing->len;
    }
    return n;
}

static void
add_resting_disks(const DomainBrief *brief, GVariantBuilder *out)
{
    Record record = { out, "block", 0 };

    g_variant_builder_add(out, "{sv}", "block.count",
                          g_variant_new_uint32(domain_brief_count_disks(brief)));
    domain_brief_visit_disks(brief, add_resting_disk, &record);
}

static void
add_disks(const Domain *domain, gboolean backing, GVariantBuilder *out)
{
    const DomainDef *def = domain_def(domain);
    Record record = { out, "block", 0 };

    g_variant_builder_add(out, "{sv}", "block.count",
                          g_variant_new_uint32(count(def, &device_disk, backing)));
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != &device_disk)
            continue;
        add_disk(domain, (const Disk *)dev, &record);
        if (backing)
            add_backing(domain, (const Disk *)dev, &record);
    }
}

/* A definition is read for what is behind its images, and not for anything else. */
void
device_stats_add_block(const Domain *domain, gboolean backing, GVariantBuilder *out)
{
    if (domain->live || !domain->brief || backing)
        add_disks(domain, backing, out);
    else
        add_resting_disks(domain->brief, out);
}

/* The group "net" */

/* Frames that the host's network got wrong do not come this far. */
static void
put_errors(const Record *record, const char *name)
{
    put(record, name, g_variant_new_uint64(0));
}

static void
add_interface(const Device *dev, const DeviceFigures *figures, const Record *record)
{
    static const Field rx[] = { { "rx.bytes", FIGURE_RX_BYTES }, { "rx.pkts", FIGURE_RX_PACKETS } };
    static const Field rx_drop[] = { { "rx.drop", FIGURE_RX_DROPPED } };
    static const Field tx[] = { { "tx.bytes", FIGURE_TX_BYTES }, { "tx.pkts", FIGURE_TX_PACKETS } };
    static const Field tx_drop[] = { { "tx.drop", FIGURE_TX_DROPPED } };

    put(record, "name", g_variant_new_string(device_interface_name(dev)));
    if (!figures)
        return;
    put_fields(record, figures, rx, G_N_ELEMENTS(rx));
    put_errors(record, "rx.errs");
    put_fields(record, figures, rx_drop, 1);
    put_fields(record, figures, tx, G_N_ELEMENTS(tx));
    put_errors(record, "tx.errs");
    put_fields(record, figures, tx_drop, 1);
}

void
device_stats_add_net(const Domain *domain, GVariantBuilder *out)
{
    const DomainDef *def;
    Record record = { out, "net", 0 };

    if (!domain_is_active(domain))
        return;
    def = domain_def(domain);
    g_variant_builder_add(out, "{sv}", "net.count",
                          g_variant_new_uint32(count(def, &device_interface, FALSE)));
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != &device_interface)
            continue;
        add_interface(dev, device_figures_of(domain, dev->alias), &record);
        record.i++;
    }
}

/* Calls about one domain, once its figures are as new as they get */

typedef struct FiguresCall {
    Domain *domain;
    char *disk; /* NULL: all */
    void (*answer)(struct FiguresCall *call);
    DomainReply done;
    gpointer data;
} FiguresCall;

static void
call_ready(gpointer data)
{
    FiguresCall *call = data;

    call->answer(call);
    domain_unref(call->domain);
    g_free(call->disk);
    g_free(call);
}

static void
call_begin(const FiguresCall *call)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new();
    FiguresCall *copy = g_memdup2(call, sizeof(*call));

    copy->domain = domain_ref(call->domain);
    copy->disk = g_strdup(call->disk);
    g_ptr_array_add(domains, call->domain);
    device_figures_refresh(domains, call_ready, copy);
}

/* The sizes of virDomainGetBlockInfo(): of an image that grows with its contents, what the host has given to it, and
 * of another one how far it was written, where that is known. */
static void
live_sizes(const Disk *disk, const DeviceFigures *figures, ImageSizes *ret)
{
    guint64 written_to = figures->values[FIGURE_WRITTEN_TO];
    guint64 allocated = figures->values[FIGURE_ALLOCATED];

    ret->capacity = figures->values[FIGURE_CAPACITY];
    ret->allocation = disk->format == IMAGE_RAW && written_to ? written_to : allocated;
    ret->physical = ret->allocation == allocated ? figures->values[FIGURE_FILE_SIZE] : allocated;
}

/* Of a process that has never told anything, as one that hangs since a daemon before us, the image itself can be asked. */
static gboolean
disk_sizes(const Domain *domain, const char *name, ImageSizes *ret, GError **error)
{
    const Device *dev = device_disk_find(domain_def(domain)->devices, name);
    const Disk *disk = (const Disk *)dev;
    const DeviceFigures *figures;

    if (!disk)
        return driver_error(error, VIR_ERR_INVALID_ARG, "invalid path %s not assigned to domain",
                            name);
    if (!disk->source)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "disk '%s' does not currently have a source assigned", name);
    if (domain_is_simulated(domain)) {
        *ret = (ImageSizes){ TEST_DEFAULT_DISK_CAPACITY, TEST_DEFAULT_DISK_SIZE, TEST_DEFAULT_DISK_SIZE };
        return TRUE;
    }
    figures = domain_is_active(domain) ? device_figures_of(domain, dev->alias) : NULL;
    if (!figures || !figures->known[FIGURE_FILE_SIZE])
        return image_sizes(disk->source, disk->format, ret, error);
    live_sizes(disk, figures, ret);
    return TRUE;
}

static void
answer_info(FiguresCall *call)
{
    g_autoptr(GError) error = NULL;
    ImageSizes sizes;

    if (disk_sizes(call->domain, call->disk, &sizes, &error))
        call->done(call->data,
                   g_variant_new("(ttt)", sizes.capacity, sizes.allocation, sizes.physical), NULL);
    else
        call->done(call->data, NULL, error);
}

void
domain_block_info(Domain *domain, const char *disk, guint flags, DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (driver_check_flags(flags, 0, "virDomainGetBlockInfo", &error))
        call_begin(&(FiguresCall){ domain, (char *)disk, answer_info, done, data });
    else
        done(data, NULL, error);
}

/* What went wrong with the domain's disk number @i; in libvirt's test driver always something, one after the other. */
static int
disk_error(const Domain *domain, const Device *dev, guint i)
{
    static const int kinds[] = { VIR_DOMAIN_DISK_ERROR_UNSPEC, VIR_DOMAIN_DISK_ERROR_NO_SPACE };
    const DeviceFigures *figures = device_figures_of(domain, dev->alias);

    if (domain_is_simulated(domain))
        return kinds[i % G_N_ELEMENTS(kinds)];
    return figures ? figures->error : VIR_DOMAIN_DISK_ERROR_NONE;
}

static void
answer_errors(FiguresCall *call)
{
    g_autoptr(GError) error = NULL;
    GVariantBuilder out;
    guint n = 0;

    if (!domain_is_active(call->domain)) {
        driver_error(&error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        call->done(call->data, NULL, error);
        return;
    }
    g_variant_builder_init(&out, G_VARIANT_TYPE("a(si)"));
    for (guint i = 0; i < call->domain->live->devices->len; i++) {
        const Device *dev = g_ptr_array_index(call->domain->live->devices, i);
        int code = dev->kind == &device_disk ? disk_error(call->domain, dev, n++)
                                             : VIR_DOMAIN_DISK_ERROR_NONE;

        if (code != VIR_DOMAIN_DISK_ERROR_NONE)
            g_variant_builder_add(&out, "(si)", device_disk_target(dev), code);
    }
    call->done(call->data, g_variant_builder_end(&out), NULL);
}

void
domain_disk_errors(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (driver_check_flags(flags, 0, "virDomainGetDiskErrors", &error))
        call_begin(&(FiguresCall){ domain, NULL, answer_errors, done, data });
    else
        done(data, NULL, error);
}
