/* The golden documents of snapshots: NAME.xml is parsed, as that of one that there is where NAME begins with "redefine",
 * and either formatted as NAME.out.xml or refused with the number and text in NAME.err. And <disks> beside the domain's.
 */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/snapshot-xml.h"
#include "tests/unit/xml-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MADE 1000000000 /* when what is made now was made */

static gboolean
redefines(const char *path)
{
    return g_str_has_prefix(strrchr(path, '/') + 1, "redefine");
}

/* What the clock says. */
static void
settle_time(SnapshotDef *def)
{
    g_autofree char *now = g_strdup_printf("%" G_GINT64_FORMAT, def->created);

    if (strcmp(now, def->name) == 0) {
        g_free(def->name);
        def->name = g_strdup("now");
    }
    g_assert_cmpint(ABS(def->created - g_get_real_time() / G_USEC_PER_SEC), <=, 5);
    def->created = MADE;
}

static void
test_document(gconstpointer path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = read_file(path);
    g_autoptr(SnapshotDef) def = snapshot_xml_parse(xml, redefines(path), &error);
    g_autofree char *golden = sibling(path, def ? ".out.xml" : ".err");
    g_autofree char *text = NULL;

    if (def && !redefines(path))
        settle_time(def);
    text =
        def ? snapshot_xml_format(def, 0) : g_strdup_printf("%d %s\n", error->code, error->message);
    assert_golden(golden, text);
}

/* What is written says all that was read. */
static void
test_round_trip(gconstpointer path)
{
    g_autofree char *xml = read_file(path);
    g_autoptr(SnapshotDef) def = snapshot_xml_parse(xml, TRUE, NULL);
    g_autofree char *first = def ? snapshot_xml_format(def, 0) : NULL;
    g_autoptr(SnapshotDef) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *second = NULL;

    if (!def || !def->created) /* one that is refused, or that is to be made */
        return;
    again = snapshot_xml_parse(first, TRUE, &error);
    g_assert_no_error(error);
    second = snapshot_xml_format(again, 0);
    g_assert_cmpstr(first, ==, second);
}

/* Aligning: a domain with a disk, an empty drive and a disk whose file is @image. */

static DomainDef *
domain_with(const char *image)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><devices>"
        "<disk device='disk'><source file='/nowhere/a.img'/><target dev='vda'/></disk>"
        "<disk device='cdrom'><target dev='vdb'/></disk>"
        "<disk device='disk'><source file='%s'/><target dev='vdc'/></disk>"
        "</devices></domain>",
        image);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return def;
}

static char *
align(const char *disks, SnapshotLocation location, gboolean uniform, const char *image)
{
    g_autofree char *xml =
        g_strdup_printf("<domainsnapshot><name>s</name><disks>%s</disks></domainsnapshot>", disks);
    g_autoptr(SnapshotDef) def = snapshot_xml_parse(xml, FALSE, NULL);
    g_autoptr(DomainDef) domain = domain_with(image);
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);

    if (!snapshot_def_align(def, domain, location, uniform, &error)) {
        g_string_assign(text, error->message);
        return g_string_free(text, FALSE);
    }
    for (guint i = 0; i < def->disks->len; i++) {
        const SnapshotDisk *disk = g_ptr_array_index(def->disks, i);

        g_string_append_printf(text, "%s %s%s%s;", disk->name,
                               snapshot_location_words[disk->location], disk->path ? " " : "",
                               disk->path ? disk->path : "");
    }
    return g_string_free(text, FALSE);
}

static void
test_align(void)
{
    static const struct {
        const char *disks;
        SnapshotLocation location;
        gboolean uniform;
        const char *expected;
    } cases[] = {
        { "", SNAPSHOT_INTERNAL, TRUE, "vda internal;vdb no;vdc internal;" },
        { "<disk name='/nowhere/a.img'/>", SNAPSHOT_INTERNAL, TRUE,
          "vda internal;vdb no;vdc internal;" },
        { "<disk name='vdc' snapshot='no'/>", SNAPSHOT_INTERNAL, TRUE,
          "unsupported configuration: disk 'vdc' must use snapshot mode 'internal'" },
        { "<disk name='vdc' snapshot='no'/>", SNAPSHOT_INTERNAL, FALSE,
          "vda internal;vdb no;vdc no;" },
        { "<disk name='vda' snapshot='no'/><disk name='vdc'><source file='/x'/></disk>",
          SNAPSHOT_EXTERNAL, TRUE, "vda no;vdb no;vdc external /x;" },
        { "<disk name='vda' snapshot='no'/>", SNAPSHOT_EXTERNAL, FALSE,
          "vda no;vdb no;vdc external @.s;" },
        { "", SNAPSHOT_EXTERNAL, FALSE,
          "unsupported configuration: source for disk 'vda' is not a regular file; refusing to "
          "generate external snapshot name" },
        { "<disk name='vda' snapshot='no'/><disk name='vdb' snapshot='external'/>",
          SNAPSHOT_EXTERNAL, FALSE,
          "unsupported configuration: cannot generate external snapshot name for disk 'vdb' "
          "without source" },
        { "<disk name='vda' snapshot='no'/><disk name='vdc' snapshot='external' type='block'/>",
          SNAPSHOT_EXTERNAL, FALSE,
          "unsupported configuration: cannot generate external snapshot name for disk 'vdc' on a "
          "'block' device" },
        { "<disk name='vda'><source file='@.s'/></disk>", SNAPSHOT_EXTERNAL, FALSE,
          "unsupported configuration: cannot generate external snapshot name for disk 'vdc': "
          "collision with disk "
          "'vda'" },
        { "<disk name='vda' snapshot='internal'><source file='/x'/></disk>", SNAPSHOT_INTERNAL,
          FALSE,
          "unsupported configuration: file '/x' for disk 'vda' requires use of external snapshot "
          "mode" },
        { "<disk name='vdz'/>", SNAPSHOT_INTERNAL, TRUE,
          "unsupported configuration: no disk named 'vdz'" },
        { "<disk name='vda'/><disk name='/nowhere/a.img'/>", SNAPSHOT_INTERNAL, TRUE,
          "unsupported configuration: disk '/nowhere/a.img' specified twice" },
        { "<disk name='vda'/><disk name='vdb'/><disk name='vdc'/><disk name='vdd'/>",
          SNAPSHOT_INTERNAL, TRUE,
          "unsupported configuration: too many disk snapshot requests for domain" },
    };
    g_autofree char *image = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("snapshot-XXXXXX", &image, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) disks = g_string_new(cases[i].disks);
        g_autoptr(GString) expected = g_string_new(cases[i].expected);
        g_autofree char *answer = NULL;

        g_string_replace(disks, "@", image, 0);
        g_string_replace(expected, "@", image, 0);
        answer = align(disks->str, cases[i].location, cases[i].uniform, image);
        g_assert_cmpstr(answer, ==, expected->str);
    }
    unlink(image);
}

/* What the domain's document says of a disk goes where the snapshot's says nothing; what is only read is left out. */
static void
test_align_said(void)
{
#define DISK(name, choice, more) \
    "<disk type='file' device='disk'" choice "><source file='/nowhere/" name "'/><target dev='" name "'/>" more "</disk>"
    static const char xml[] = "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type><kernel>/k"
                              "</kernel></os><devices>" DISK("vda", " snapshot='no'", "") DISK("vdb", "", "")
                                  DISK("vdc", "", "<readonly/>") DISK("vdd", " snapshot='manual'", "")
                                      "</devices></domain>";
    static const char *const asked[][2] = {
        { "", "no internal no manual " },
        { "<disk name='vda'/>", "no internal no manual " },
        { "<disk name='vda' snapshot='internal'/><disk name='vdc' snapshot='internal'/>",
          "internal internal internal manual " },
    };
    g_autoptr(DomainDef) domain = domain_xml_parse(xml, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
        g_autofree char *wanted =
            g_strdup_printf("<domainsnapshot><name>s</name><disks>%s</disks></domainsnapshot>", asked[i][0]);
        g_autoptr(SnapshotDef) def = snapshot_xml_parse(wanted, FALSE, NULL);
        g_autoptr(GString) text = g_string_new(NULL);

        g_assert_true(snapshot_def_align(def, domain, SNAPSHOT_INTERNAL, FALSE, NULL));
        for (guint k = 0; k < def->disks->len; k++)
            g_string_append_printf(
                text, "%s ",
                snapshot_location_words[((SnapshotDisk *)g_ptr_array_index(def->disks, k))->location]);
        g_assert_cmpstr(text->str, ==, asked[i][1]);
    }
}

static void
test_written_size(void)
{
    g_autofree char *quotes = g_strnfill(1 << 20, '\'');
    g_autofree char *xml =
        g_strdup_printf("<domainsnapshot><description>%s</description></domainsnapshot>", quotes);
    g_autoptr(SnapshotDef) def = snapshot_xml_parse(xml, FALSE, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(def);
    g_assert_false(snapshot_xml_check_written(def, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_documents_of("snapshot-xml", "/snapshot-xml/document", test_document);
    add_documents_of("snapshot-xml", "/snapshot-xml/round-trip", test_round_trip);
    g_test_add_func("/snapshot-xml/align", test_align);
    g_test_add_func("/snapshot-xml/align-said", test_align_said);
    g_test_add_func("/snapshot-xml/written-size", test_written_size);
    return g_test_run();
}
