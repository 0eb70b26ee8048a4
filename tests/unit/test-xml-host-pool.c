/* The documents of storage pools: what each type of them has to say. The installed libvirt is asked, too, where it is
 * the one whose words these are. */
#include "driver/error.h"
#include "driver/xml-host.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

static const char *const types[] = {
    "dir",   "fs",    "netfs", "logical",  "disk",    "iscsi", "iscsi-direct",
    "scsi",  "mpath", "rbd",   "sheepdog", "gluster", "zfs",   "vstorage",
};

/* What a source may have; the bits of a number are a set of them. */
static const char *const parts[] = {
    "<host name='h'/>",
    "<dir path='/d'/>",
    "<adapter name='scsi_host1'/>",
    "<device path='/dev/x'/>",
    "<initiator><iqn name='i'/></initiator>",
    "<name>of-source</name>",
};
#define N_SETS (1u << (G_N_ELEMENTS(parts) + 1)) /* with the target */

static const struct {
    const char *xml, *text;
} refused[] = {
    { "<pool type='dir'><name>a</name></pool>", "XML error: missing storage pool target path" },
    { "<pool type='dir'><name>a</name><target/></pool>", "XML error: missing storage pool target path" },
    { "<pool type='dir'><name>a</name><target><path/></target></pool>",
      "XML error: missing storage pool target path" },
    { "<pool type='dir'><target><path>/x</path></target></pool>",
      "XML error: missing pool source name element" },
    { "<pool type='dir'><name>a/b</name></pool>", "XML error: name a/b cannot contain '/'" },
    { "<pool type='logical'><source><name>a/b</name></source></pool>",
      "XML error: name a/b cannot contain '/'" },
    { "<pool type='dir'><name>a</name><uuid>x</uuid></pool>", "XML error: malformed uuid element" },
    { "<pool type='dir'><source><host/></source></pool>",
      "XML error: missing storage pool host name" },
    { "<pool type='dir'><source><device path='/x'/><device/></source></pool>",
      "XML error: missing storage pool source device path" },
    { "<pool type='rbd'><source/></pool>", "XML error: element 'name' is mandatory for RBD pool" },
    { "<pool type='logical'><name>a</name><source><format type='dos'/></source></pool>",
      "unsupported configuration: unknown pool format type dos" },
    { "<pool type='iscsi-direct'><name>a</name><source><host name='h'/><initiator/></source></pool>",
      "unsupported configuration: missing initiator IQN" },
};

static virConnectPtr connection;

static void
drop_error(void *data, virErrorPtr error)
{
}

static gboolean
is_there(void)
{
    unsigned long version = 0;

    virSetErrorFunc(NULL, drop_error);
    if (virGetVersion(&version, NULL, NULL) < 0 || version / 1000 != 9000) {
        g_test_skip("the words are libvirt 9.0's, this is another one");
        return FALSE;
    }
    connection = virConnectOpen("test:///default");
    g_assert_nonnull(connection);
    return TRUE;
}

/* Both take it, for a pool of the same name, or refuse it for the same reason. */
static void
assert_same(const char *xml)
{
    virStoragePoolPtr theirs = virStoragePoolDefineXML(connection, xml, 0);
    g_autoptr(GError) error = NULL;
    HostFacts ours = { 0 };

    g_assert_cmpint(xml_host_parse(HOST_POOL, xml, &ours, &error), ==, theirs != NULL);
    if (theirs) {
        g_assert_cmpstr(ours.name, ==, virStoragePoolGetName(theirs));
        g_assert_cmpint(virStoragePoolUndefine(theirs), ==, 0);
        virStoragePoolFree(theirs);
    } else {
        g_assert_cmpstr(error->message, ==, virGetLastErrorMessage());
        g_assert_cmpint(error->code, ==, virGetLastErrorCode());
    }
    host_facts_clear(&ours);
}

static void
test_sets(void)
{
    if (!is_there())
        return;
    for (gsize type = 0; type < G_N_ELEMENTS(types); type++) {
        for (guint set = 0; set < N_SETS; set++) {
            g_autoptr(GString) source = g_string_new(NULL);
            g_autofree char *xml = NULL;

            for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
                g_string_append(source, set >> i & 1 ? parts[i] : "");
            xml = g_strdup_printf("<pool type='%s'><source>%s</source>%s%s</pool>", types[type],
                                  source->str, set & N_SETS / 2 ? "<target><path>/x</path></target>" : "",
                                  set % 3 ? "<name>a</name>" : "");
            assert_same(xml);
        }
    }
    virConnectClose(connection);
}

static void
test_formats(void)
{
    static const char *const words[] = {
        "",     "none", "auto", "ext2", "ext3", "ext4",  "ufs",   "iso9660",   "udf",  "gfs",
        "gfs2", "vfat", "hfs+", "xfs",  "ocfs2", "vmfs", "nfs",   "glusterfs", "cifs", "unknown",
        "lvm2", "dos",  "dvh",  "gpt",  "mac",  "bsd",   "pc98",  "sun",       "nope",
    };

    if (!is_there())
        return;
    for (gsize type = 0; type < G_N_ELEMENTS(types); type++) {
        for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
            g_autofree char *xml =
                g_strdup_printf("<pool type='%s'><name>a</name><source>%s%s%s%s%s%s<format type='%s'/>"
                                "</source><target><path>/x</path></target></pool>",
                                types[type], parts[0], parts[1], parts[2], parts[3], parts[4], parts[5],
                                words[i]);

            assert_same(xml);
        }
    }
    virConnectClose(connection);
}

static void
test_refused(void)
{
    gboolean asks = is_there();

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        HostFacts facts = { 0 };

        g_assert_false(xml_host_parse(HOST_POOL, refused[i].xml, &facts, &error));
        g_assert_cmpstr(error->message, ==, refused[i].text);
        g_assert_null(facts.name);
        if (asks)
            assert_same(refused[i].xml);
    }
    if (asks)
        virConnectClose(connection);
}

/* It has a name and a UUID then, and says so. */
static void
test_completed(void)
{
    HostFacts facts = { 0 };
    g_autofree char *wanted = NULL;

    g_assert_true(xml_host_parse(
        HOST_POOL, "<pool type='logical'><source><name>a&amp;b</name></source></pool>", &facts, NULL));
    wanted = g_strdup_printf("<pool type=\"logical\"><name>a&amp;b</name><uuid>%s</uuid>"
                             "<source><name>a&amp;b</name></source></pool>\n",
                             facts.uuid);
    g_assert_cmpstr(facts.name, ==, "a&b");
    g_assert_cmpstr(facts.xml, ==, wanted);
    host_facts_clear(&facts);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-host-pool/sets", test_sets);
    g_test_add_func("/xml-host-pool/formats", test_formats);
    g_test_add_func("/xml-host-pool/refused", test_refused);
    g_test_add_func("/xml-host-pool/completed", test_completed);
    return g_test_run();
}
