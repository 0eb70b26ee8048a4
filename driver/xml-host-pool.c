#include "driver/xml-host-pool.h"

#include "driver/error.h"
#include "driver/xml-read.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* What a type may ask for; NAMED: the source's name can stand for the pool's. */
#define HOST      (1u << 0)
#define DIRECTORY (1u << 1)
#define ADAPTER   (1u << 2)
#define DEVICE    (1u << 3)
#define TARGET    (1u << 4)
#define INITIATOR (1u << 5)
#define NAMED     (1u << 6)

typedef struct Type {
    const char *word;
    guint bit, needs;
    const char *nameless; /* why its source has to have a name; NULL: it need not */
    const char *formats;  /* with spaces between; NULL: it has none, and any will do */
} Type;

static const Type types[] = {
    { "dir", VIR_CONNECT_LIST_STORAGE_POOLS_DIR, TARGET },
    { "fs", VIR_CONNECT_LIST_STORAGE_POOLS_FS, DEVICE | TARGET, NULL,
      "auto ext2 ext3 ext4 ufs iso9660 udf gfs gfs2 vfat hfs+ xfs ocfs2 vmfs" },
    { "netfs", VIR_CONNECT_LIST_STORAGE_POOLS_NETFS, HOST | DIRECTORY | TARGET, NULL,
      "auto nfs glusterfs cifs" },
    { "logical", VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL, NAMED, NULL, "unknown lvm2" },
    { "disk", VIR_CONNECT_LIST_STORAGE_POOLS_DISK, DEVICE | TARGET, NULL,
      "unknown dos dvh gpt mac bsd pc98 sun lvm2" },
    { "iscsi", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI, HOST | TARGET },
    { "iscsi-direct", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT, HOST | INITIATOR },
    { "scsi", VIR_CONNECT_LIST_STORAGE_POOLS_SCSI, ADAPTER | TARGET },
    { "mpath", VIR_CONNECT_LIST_STORAGE_POOLS_MPATH, TARGET },
    { "rbd", VIR_CONNECT_LIST_STORAGE_POOLS_RBD, HOST | NAMED,
      "element 'name' is mandatory for RBD pool" },
    { "sheepdog", VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG, HOST | NAMED },
    { "gluster", VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER, HOST | NAMED },
    { "zfs", VIR_CONNECT_LIST_STORAGE_POOLS_ZFS, NAMED },
    { "vstorage", VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE, TARGET | NAMED },
};

/* In the order in which they are asked for. */
static const struct {
    guint need;
    const char *path;
    const char *attrs[3]; /* one of them is there; none: it is the text */
    virErrorNumber code;
    const char *refusal;
} parts[] = {
    { HOST, "source/host", { "name" }, VIR_ERR_XML_ERROR, "missing storage pool source host name" },
    { DIRECTORY, "source/dir", { "path" }, VIR_ERR_XML_ERROR, "missing storage pool source path" },
    { ADAPTER, "source/adapter", { "name", "type" }, VIR_ERR_XML_ERROR,
      "missing storage pool source adapter" },
    { DEVICE, "source/device", { "path" }, VIR_ERR_XML_ERROR,
      "missing storage pool source device name" },
    { TARGET, "target/path", { NULL }, VIR_ERR_XML_ERROR, "missing storage pool target path" },
    { INITIATOR, "source/initiator/iqn", { "name" }, VIR_ERR_CONFIG_UNSUPPORTED,
      "missing initiator IQN" },
};

static guint
needs_of(guint type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].bit == type)
            return types[i].needs;
    }
    g_assert_not_reached();
}

static const Type *
find_type(const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].word, word) == 0)
            return &types[i];
    }
    return NULL;
}

static const Type *
read_type(const XmlNode *root, GError **error)
{
    g_autofree char *word = xml_attr(root, "type");
    const Type *type = word ? find_type(word) : NULL;

    if (!word)
        driver_error(error, VIR_ERR_XML_ERROR,
                     "Missing required attribute 'type' in element 'pool'");
    else if (!type)
        driver_error(error, VIR_ERR_XML_ERROR,
                     "Invalid value for attribute 'type' in element 'pool': '%s'.", word);
    return type;
}

/* Each of the source's elements @name says which one it means. */
static gboolean
check_each(const XmlNode *source, const char *name, const char *attr, const char *refusal,
           GError **error)
{
    for (const XmlNode *child = xml_first(source); child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), name) == 0 && !xml_has_attr(child, attr))
            return driver_error(error, VIR_ERR_XML_ERROR, "%s", refusal);
    }
    return TRUE;
}

static gboolean
check_format(const XmlNode *source, const char *formats, GError **error)
{
    const XmlNode *format = xml_child(source, "format");
    g_autofree char *word = format ? xml_attr(format, "type") : NULL;
    g_auto(GStrv) known = formats ? g_strsplit(formats, " ", -1) : NULL;

    return !known || !word || !*word || g_strv_contains((const char *const *)known, word) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown pool format type %s", word);
}

static gboolean
check_source(const XmlNode *source, const Type *type, GError **error)
{
    g_autofree char *name = xml_child_text(source, "name");

    if (!name && type->nameless)
        return driver_error(error, VIR_ERR_XML_ERROR, "%s", type->nameless);
    return check_format(source, type->formats, error) &&
           check_each(source, "host", "name", "missing storage pool host name", error) &&
           check_each(source, "device", "path", "missing storage pool source device path", error);
}

gboolean
xml_host_pool_check_source(const XmlNode *source, const char *word, GError **error)
{
    const Type *type = find_type(word);

    if (!type)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing backend for pool type -1");
    return check_source(source, type, error);
}

gboolean
xml_host_pool_begin(const XmlNode *root, guint *ret, GError **error)
{
    const XmlNode *source = xml_child(root, "source");
    const Type *type = read_type(root, error);

    if (!type || (source && !check_source(source, type, error)))
        return FALSE;
    *ret = type->bit;
    return TRUE;
}

char *
xml_host_pool_source_name(const XmlNode *root, guint type)
{
    const XmlNode *source = xml_child(root, "source");

    return source && needs_of(type) & NAMED ? xml_child_text(source, "name") : NULL;
}

static const XmlNode *
walk(const XmlNode *node, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);

    for (char **name = names; node && *name; name++)
        node = xml_child(node, *name);
    return node;
}

static gboolean
says(const XmlNode *node, const char *const *attrs)
{
    g_autofree char *text = xml_text(node);

    if (!*attrs)
        return *text != '\0';
    for (; *attrs; attrs++) {
        if (xml_has_attr(node, *attrs))
            return TRUE;
    }
    return FALSE;
}

gboolean
xml_host_pool_check(const XmlNode *root, guint type, GError **error)
{
    guint needs = needs_of(type);

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        const XmlNode *node = needs & parts[i].need ? walk(root, parts[i].path) : NULL;

        if (needs & parts[i].need && !(node && says(node, parts[i].attrs)))
            return driver_error(error, parts[i].code, "%s", parts[i].refusal);
    }
    return TRUE;
}
