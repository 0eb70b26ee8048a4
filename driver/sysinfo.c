#include "driver/sysinfo.h"

#include "driver/error.h"
#include "driver/uuid.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOST_DIR      "/sys/class/dmi/id"
#define FILE_NAME_MAX 55 /* bytes that firmware's directory has room for */

/* What firmware itself is configured by. */
#define RESERVED_OVMF "opt/ovmf/"
#define RESERVED_QEMU "opt/org.qemu/"

enum { BLOCK_BIOS, BLOCK_SYSTEM };
enum { BIOS_DATE = 2, SYSTEM_UUID = 4 };

const char *const sysinfo_mode_words[] = { "none", "emulate", "host", "sysinfo", NULL };
const char *const sysinfo_type_words[] = { "smbios", "fwcfg", NULL };

/* clang-format off */
const SysinfoBlock sysinfo_blocks[SYSINFO_N_BLOCKS] = {
    [BLOCK_BIOS] = { "bios", "bios", {
        { "vendor", "bios_vendor" },
        { "version", "bios_version" },
        [BIOS_DATE] = { "date", "bios_date" },
        { "release", "bios_release" },
    } },
    [BLOCK_SYSTEM] = { "system", "system", {
        { "manufacturer", "sys_vendor" },
        { "product", "product_name" },
        { "version", "product_version" },
        { "serial", "product_serial" },
        [SYSTEM_UUID] = { "uuid", "product_uuid" },
        { "sku", "product_sku" },
        { "family", "product_family" },
    } },
    { "baseBoard", "board", {
        { "manufacturer", "board_vendor" },
        { "product", "board_name" },
        { "version", "board_version" },
        { "serial", "board_serial" },
        { "asset", "board_asset_tag" },
        { "location", NULL },
    } },
    { "chassis", "chassis", {
        { "manufacturer", "chassis_vendor" },
        { "version", "chassis_version" },
        { "serial", "chassis_serial" },
        { "asset", "chassis_asset_tag" },
        { "sku", NULL },
    } },
};
/* clang-format on */

static void
file_free(SysinfoFile *file)
{
    g_free(file->name);
    g_free(file->value);
    g_free(file->path);
    g_free(file);
}

static gpointer
copy_text(gconstpointer text, gpointer data)
{
    return g_strdup(text);
}

static gpointer
copy_file(gconstpointer from, gpointer data)
{
    const SysinfoFile *file = from;
    SysinfoFile *copy = g_new0(SysinfoFile, 1);

    *copy = (SysinfoFile){ g_strdup(file->name), g_strdup(file->value), g_strdup(file->path) };
    return copy;
}

void
sysinfo_init(Sysinfo *sysinfo)
{
    sysinfo->oem = g_ptr_array_new_with_free_func(g_free);
    sysinfo->files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
}

void
sysinfo_clear(Sysinfo *sysinfo)
{
    for (int block = 0; block < SYSINFO_N_BLOCKS; block++) {
        for (int i = 0; i < SYSINFO_TEXTS_MAX; i++)
            g_clear_pointer(&sysinfo->texts[block][i], g_free);
    }
    g_clear_pointer(&sysinfo->oem, g_ptr_array_unref);
    g_clear_pointer(&sysinfo->files, g_ptr_array_unref);
}

void
sysinfo_own(Sysinfo *sysinfo)
{
    for (int block = 0; block < SYSINFO_N_BLOCKS; block++) {
        for (int i = 0; i < SYSINFO_TEXTS_MAX; i++)
            sysinfo->texts[block][i] = g_strdup(sysinfo->texts[block][i]);
    }
    sysinfo->oem = g_ptr_array_copy(sysinfo->oem, (GCopyFunc)copy_text, NULL);
    sysinfo->files = g_ptr_array_copy(sysinfo->files, (GCopyFunc)copy_file, NULL);
}

const char *
sysinfo_uuid(const Sysinfo *sysinfo)
{
    return sysinfo->texts[BLOCK_SYSTEM][SYSTEM_UUID];
}

/* mm/dd/yyyy, or mm/dd/yy, as SMBIOS has it (DSP0134, 7.1). */
static gboolean
is_date(const char *text)
{
    guint month, day, year;
    char end;

    return sscanf(text, "%2u/%2u/%4u%c", &month, &day, &year, &end) == 3 && month >= 1 &&
           month <= 12 && day >= 1 && day <= 31 && (year < 100 || (year >= 1900 && year <= 9999));
}

static gboolean
check_smbios(const Sysinfo *sysinfo, const char *uuid, GError **error)
{
    const char *date = sysinfo->texts[BLOCK_BIOS][BIOS_DATE];
    const char *text = sysinfo_uuid(sysinfo);
    char own[UUID_SIZE];

    if (date && !is_date(date))
        return driver_error(error, VIR_ERR_XML_DETAIL, "Invalid BIOS 'date' format");
    if (text && !uuid_parse(text, own))
        return driver_error(error, VIR_ERR_XML_DETAIL, "malformed <sysinfo> uuid element");
    if (text && *uuid && strcmp(own, uuid) != 0)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "UUID mismatch between <uuid> and <sysinfo>");
    if (sysinfo->oem->len > SYSINFO_OEM_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "more than %d <oemStrings> are not supported yet by this machine",
                            SYSINFO_OEM_MAX);
    return TRUE;
}

static gboolean
check_file(const SysinfoFile *file, GError **error)
{
    if (!file->name)
        return driver_error(error, VIR_ERR_XML_ERROR, "Firmware entry is missing 'name' attribute");
    if (!file->value && !file->path)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Firmware entry must have either value or 'file' attribute");
    if (!g_str_has_prefix(file->name, "opt/"))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid firmware name");
    if (g_str_has_prefix(file->name, RESERVED_OVMF) || g_str_has_prefix(file->name, RESERVED_QEMU))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "That firmware name is reserved");
    if (strlen(file->name) > FILE_NAME_MAX)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "a firmware name of more than %d bytes is not supported yet by this machine",
            FILE_NAME_MAX);
    return TRUE;
}

static gboolean
check_files(const GPtrArray *files, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < files->len; i++) {
        const SysinfoFile *file = g_ptr_array_index(files, i);

        if (!check_file(file, error))
            return FALSE;
        if (!g_hash_table_add(seen, file->name))
            return driver_error(
                error, VIR_ERR_CONFIG_UNSUPPORTED,
                "the firmware name '%s' given twice is not supported by this machine", file->name);
    }
    if (files->len > SYSINFO_FILES_MAX)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "more than %d entries of <sysinfo type='fwcfg'> are not supported yet by "
            "this machine",
            SYSINFO_FILES_MAX);
    return TRUE;
}

gboolean
sysinfo_check(const Sysinfo *sysinfo, int mode, const char *domain_name, const char *uuid,
              gboolean has_firmware, GError **error)
{
    if (!check_smbios(sysinfo, uuid, error) || !check_files(sysinfo->files, error))
        return FALSE;
    if (mode == SYSINFO_MODE_SYSINFO && !sysinfo->has_smbios)
        return driver_error(error, VIR_ERR_XML_ERROR, "Domain '%s' sysinfo are not available",
                            domain_name);
    if (!has_firmware && (mode > SYSINFO_MODE_EMULATE || sysinfo->files->len > 0))
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "<sysinfo> and <smbios> for a guest without firmware are not supported yet "
            "by this machine");
    return TRUE;
}

/* Lowering */

static void
put_text(VmmMsg *create, int block, int i, const char *text)
{
    g_autofree char *key = g_strdup_printf("smbios-%s-%s", sysinfo_blocks[block].key,
                                           sysinfo_blocks[block].entries[i].name);

    vmm_msg_put_string(create, key, text);
}

/* The uuid goes with the machine, whoever names it. */
static void
put_texts(const Sysinfo *sysinfo, VmmMsg *create)
{
    for (int block = 0; block < SYSINFO_N_BLOCKS; block++) {
        for (int i = 0; i < SYSINFO_TEXTS_MAX; i++) {
            if (sysinfo->texts[block][i] && (block != BLOCK_SYSTEM || i != SYSTEM_UUID))
                put_text(create, block, i, sysinfo->texts[block][i]);
        }
    }
    for (guint i = 0; i < sysinfo->oem->len; i++) {
        g_autofree char *key = g_strdup_printf("smbios-oem-%u", i);

        vmm_msg_put_string(create, key, g_ptr_array_index(sysinfo->oem, i));
    }
}

gboolean
sysinfo_read_host(Sysinfo *ret)
{
    gboolean any = FALSE;

    for (int block = 0; block < SYSINFO_N_BLOCKS; block++) {
        for (int i = 0; i < SYSINFO_TEXTS_MAX; i++) {
            const char *name = sysinfo_blocks[block].entries[i].host;
            g_autofree char *path = name ? g_build_filename(HOST_DIR, name, NULL) : NULL;
            g_autofree char *text = NULL;

            if (!path || !g_file_get_contents(path, &text, NULL, NULL))
                continue;
            any = TRUE;
            if (*g_strchomp(text))
                ret->texts[block][i] = g_steal_pointer(&text);
        }
    }
    ret->has_smbios = any;
    return any;
}

static gboolean
put_host(VmmMsg *create, GError **error)
{
    Sysinfo host = { 0 };
    gboolean any;

    sysinfo_init(&host);
    any = sysinfo_read_host(&host);
    put_texts(&host, create);
    sysinfo_clear(&host);
    return any ||
           driver_error(error, VIR_ERR_XML_ERROR, "Host SMBIOS information is not available");
}

static gboolean
put_file(VmmMsg *create, const SysinfoFile *file, guint i, GError **error)
{
    g_autofree char *name = g_strdup_printf("fw-cfg-%u-name", i);
    g_autofree char *content = g_strdup_printf("fw-cfg-%u-%s", i, file->path ? "fd" : "content");
    int fd;

    vmm_msg_put_string(create, name, file->name);
    if (!file->path) {
        vmm_msg_put_string(create, content, file->value);
        return TRUE;
    }
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return driver_error_errno(error, errno, "cannot open the firmware entry's file '%s'",
                                  file->path);
    vmm_msg_put_fd(create, content, fd);
    return TRUE;
}

gboolean
sysinfo_put(const Sysinfo *sysinfo, int mode, VmmMsg *create, GError **error)
{
    if (mode == SYSINFO_MODE_SYSINFO)
        put_texts(sysinfo, create);
    else if (mode == SYSINFO_MODE_HOST && !put_host(create, error))
        return FALSE;
    for (guint i = 0; i < sysinfo->files->len; i++) {
        if (!put_file(create, g_ptr_array_index(sysinfo->files, i), i, error))
            return FALSE;
    }
    return TRUE;
}
