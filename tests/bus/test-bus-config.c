/* What changes a definition alone: names, titles, other programs' elements, numbers of vCPUs, the CPU. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define LIVE     VIR_DOMAIN_AFFECT_LIVE
#define CONFIG   VIR_DOMAIN_AFFECT_CONFIG
#define INACTIVE VIR_DOMAIN_XML_INACTIVE
#define URI      "urn:of-mine"

static void
assert_name(Fixture *fixture, const char *path, const char *name)
{
    g_autoptr(GVariant) value = fixture_get(fixture, path, DOMAIN, "Name");

    g_assert_cmpstr(g_variant_get_string(value, NULL), ==, name);
}

static char *
lookup(Fixture *fixture, const char *name)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                                             g_variant_new("(s)", name), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static GVariant *
new_name(const char *name)
{
    return g_variant_new("(su)", name, 0);
}

/* All names, in the order of a list. */
static void
assert_listed(Fixture *fixture, const char *wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "ListAllDomains",
                                             FLAGS(0), "(a(ossuiibb))");
    g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
    g_autoptr(GString) names = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        const char *name;

        g_variant_get_child(rows, i, "(&o&s&suiibb)", NULL, &name, NULL, NULL, NULL, NULL, NULL,
                            NULL);
        g_string_append_printf(names, "%s ", name);
    }
    g_assert_cmpstr(names->str, ==, wanted);
}

/* The object is the same one, and what is kept of it as well. */
static void
test_rename(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "old", "");
    g_autofree char *other = fixture_define(fixture, "next", "");
    g_autofree char *found = NULL;

    assert_listed(fixture, "next old ");
    fixture_do(fixture, path, "Rename", new_name("new"));
    assert_listed(fixture, "new next ");
    fixture_expect_events(fixture, "1,1 0,2");
    assert_name(fixture, path, "new");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                       g_variant_new("(s)", "old"), NULL, "Domain not found: *'old'");
    found = lookup(fixture, "new");
    g_assert_cmpstr(found, ==, path);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_name(fixture, path, "new");
    fixture_do(fixture, path, "Undefine", FLAGS(0));
}

static void
test_rename_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "one", "");
    g_autofree char *other = fixture_define(fixture, "other", "");
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "", "string new_name in virDomainRename must not be empty" },
        { "one", "Requested operation is not valid: Can't rename domain to itself" },
        { "other", "Requested operation is not valid: domain with name 'other' already exists" },
        { "a/b", "XML error: name a/b cannot contain '/'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        fixture_call_fails(fixture, path, DOMAIN, "Rename", new_name(rows[i].name), NULL,
                           rows[i].text);
    fixture_call_fails(fixture, path, DOMAIN, "Rename", g_variant_new("(su)", "new", 1), NULL,
                       "unsupported flags (0x1) in function virDomainRename");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "Rename", new_name("new"), NULL,
                       "Requested operation is not valid: cannot rename active domain");
    assert_name(fixture, path, "one");
}

/* Titles, descriptions, elements */

static GVariant *
change(int type, const char *text, const char *key, const char *uri, guint flags)
{
    return g_variant_new("(isssu)", type, text, key, uri, flags);
}

static void
set(Fixture *fixture, const char *path, int type, const char *text, guint flags)
{
    gboolean element = type == VIR_DOMAIN_METADATA_ELEMENT;

    fixture_do(fixture, path, "SetMetadata",
               change(type, text, element ? "mine" : "", element ? URI : "", flags));
}

static void
assert_set(Fixture *fixture, const char *path, int type, guint flags, const char *text)
{
    const char *uri = type == VIR_DOMAIN_METADATA_ELEMENT ? URI : "";
    g_autoptr(GVariant) reply = NULL;
    const char *said;

    if (!text) {
        fixture_call_fails(fixture, path, DOMAIN, "GetMetadata",
                           g_variant_new("(isu)", type, uri, flags), NULL,
                           "metadata not found: Requested metadata element is not present");
        return;
    }
    reply = fixture_call(fixture, path, DOMAIN, "GetMetadata",
                         g_variant_new("(isu)", type, uri, flags), "(s)");
    g_variant_get(reply, "(&s)", &said);
    g_assert_cmpstr(said, ==, text);
}

static void
assert_document(Fixture *fixture, const char *path, guint flags, const char *part)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    if (!strstr(xml, part))
        g_error("no %s in %s", part, xml);
}

static void
test_texts(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "told", "");

    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, 0, NULL);
    set(fixture, path, VIR_DOMAIN_METADATA_TITLE, "A <title>", 0);
    fixture_wait_signal(fixture, "MetadataChange (1, '')");
    set(fixture, path, VIR_DOMAIN_METADATA_DESCRIPTION, "two\nlines", CONFIG);
    fixture_wait_signal(fixture, "MetadataChange (0, '')");
    assert_document(fixture, path, 0, "<title>A &lt;title&gt;</title>");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, 0, "A <title>");
    assert_set(fixture, path, VIR_DOMAIN_METADATA_DESCRIPTION, 0, "two\nlines");
    set(fixture, path, VIR_DOMAIN_METADATA_DESCRIPTION, "", 0);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_DESCRIPTION, 0, NULL);
}

/* Live and kept definition are two. */
static void
test_live_texts(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "twice", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    set(fixture, path, VIR_DOMAIN_METADATA_TITLE, "now", 0);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, CONFIG, NULL);
    set(fixture, path, VIR_DOMAIN_METADATA_TITLE, "later", CONFIG);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, LIVE, "now");
    set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, "<a/>", LIVE | CONFIG);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, 0, "now");
    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, LIVE, "<a/>");
    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, CONFIG, "<a/>");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    assert_set(fixture, path, VIR_DOMAIN_METADATA_TITLE, 0, "later");
}

static void
test_element(void)
{
    static const char element[] = "<app level='3'>\n  <other:x xmlns:other='urn:o'/>\n</app>";
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "kept", "");

    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, 0, NULL);
    set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, element, 0);
    fixture_wait_signal(fixture, "MetadataChange (2, '" URI "')");
    assert_document(fixture, path, 0, "  <metadata>\n    <mine:app xmlns:mine=\"" URI "\"");
    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, 0,
               "<app level=\"3\">\n  <other:x xmlns:other=\"urn:o\"/>\n</app>");
    set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, "<b/>", 0); /* in the place of the first */
    fixture_do(fixture, path, "SetMetadata",
               change(VIR_DOMAIN_METADATA_ELEMENT, "<c/>", "k", "urn:second", 0));
    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, 0, "<b/>");
    set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, "", 0);
    assert_set(fixture, path, VIR_DOMAIN_METADATA_ELEMENT, 0, NULL);
    assert_document(fixture, path, 0, "<k:c xmlns:k=\"urn:second\"/>");
}

static void
assert_refused(Fixture *fixture, const char *path, GVariant *args, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "SetMetadata", args, NULL, text);
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "firm", "");
    g_autofree char *huge = g_strnfill(2 << 20, '\'');
    g_autofree char *document = g_strdup_printf("<domain type='kvm'><name>huge</name><description>%s</description>"
                                                "<memory>65536</memory><os><type>hvm</type><kernel>/k</kernel></os>"
                                                "</domain>",
                                                huge);

    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_TITLE, "a\nb", "", "", 0),
                   "metadata title can't contain newlines");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_TITLE, "a", "", URI, 0),
                   "uri in virDomainSetMetadata must be NULL");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k", "", 0),
                   "uri in virDomainSetMetadata must not be NULL");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "", URI, 0),
                   "key in virDomainSetMetadata must not be NULL");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_ELEMENT, "<a>", "k", URI, 0),
                   "(metadata_xml):1: *");
    assert_refused(fixture, path,
                   change(VIR_DOMAIN_METADATA_ELEMENT, "<!DOCTYPE a><a/>", "k", URI, 0),
                   "(metadata_xml):1: *");
    /* What libxml2 would write as it is. */
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k='1' l", URI, 0),
                   "internal error: failed to validate prefix for a new XML namespace");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_ELEMENT, "<a/>", "k", "urn:a<b", 0),
                   "XML error: 'urn:a<b' cannot be the name of a namespace");
    assert_refused(fixture, path, change(3, "a", "", "", 0),
                   "invalid argument: unknown metadata type '3'");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_TITLE, "a", "", "", LIVE),
                   "Requested operation is not valid: domain is not running");
    assert_refused(fixture, path, change(VIR_DOMAIN_METADATA_DESCRIPTION, huge, "", "", 0),
                   "XML error: the document is too large");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", document), NULL,
                       "XML error: the document is too large");
    assert_set(fixture, path, VIR_DOMAIN_METADATA_DESCRIPTION, 0, NULL);
}

/* vCPUs */

static void
set_vcpus(Fixture *fixture, const char *path, guint n, guint flags)
{
    fixture_do(fixture, path, "SetVcpus", g_variant_new("(uu)", n, flags));
}

static void
assert_vcpus(Fixture *fixture, const char *path, guint flags, guint n)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetVcpus", FLAGS(flags), "(u)");
    guint said;

    g_variant_get(reply, "(u)", &said);
    g_assert_cmpuint(said, ==, n);
}

static void
assert_vcpus_refused(Fixture *fixture, const char *path, guint n, guint flags, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "SetVcpus", g_variant_new("(uu)", n, flags), NULL,
                       text);
}

static void
test_vcpus(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "many", "");

    set_vcpus(fixture, path, 4, CONFIG | VIR_DOMAIN_VCPU_MAXIMUM);
    set_vcpus(fixture, path, 3, 0);
    assert_vcpus(fixture, path, VIR_DOMAIN_VCPU_MAXIMUM, 4);
    assert_document(fixture, path, 0, "<vcpu placement='static' current='3'>4</vcpu>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    set_vcpus(fixture, path, 2, CONFIG);
    set_vcpus(fixture, path, 3, LIVE); /* as many as there are */
    assert_vcpus(fixture, path, LIVE, 3);
    assert_vcpus(fixture, path, CONFIG, 2);
    assert_vcpus_refused(fixture, path, 4, LIVE,
                         "Operation not supported: this machine cannot change the number of vCPUs "
                         "of a guest that runs");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_vcpus(fixture, path, CONFIG, 2);
    set_vcpus(fixture, path, 1, CONFIG | VIR_DOMAIN_VCPU_MAXIMUM); /* less than are in use */
    assert_vcpus(fixture, path, CONFIG, 1);
}

static void
test_vcpus_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "few", "");

    assert_vcpus_refused(fixture, path, 0, 0,
                         "nvcpus in virDomainSetVcpusFlags must not be zero");
    assert_vcpus_refused(fixture, path, 9, CONFIG,
                         "invalid argument: requested vcpus is greater than max allowable vcpus "
                         "for the persistent domain: 9 > *");
    assert_vcpus_refused(fixture, path, 1, LIVE,
                         "Requested operation is not valid: domain is not running");
    assert_vcpus_refused(fixture, path, 300, VIR_DOMAIN_VCPU_MAXIMUM,
                         "unsupported configuration: Maximum CPUs greater than specified machine "
                         "type limit 255");
    assert_vcpus_refused(fixture, path, 1, VIR_DOMAIN_VCPU_GUEST,
                         "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_vcpus_refused(fixture, path, 9, LIVE,
                         "invalid argument: requested vcpus is greater than max allowable vcpus "
                         "for the live domain: 9 > *");
    assert_vcpus_refused(fixture, path, 9, LIVE | VIR_DOMAIN_VCPU_MAXIMUM,
                         "Requested operation is not valid: maximum vcpu count of a live domain "
                         "can't be modified");
}

/* Validation */

static GVariant *
with_more(Fixture *fixture, const char *more, guint flags)
{
    g_autofree char *xml = fixture_xml(fixture, "valid", NULL, "");
    g_auto(GStrv) parts = g_strsplit(xml, "<devices>", 2);
    g_autofree char *text = g_strconcat(parts[0], more, "\n<devices>", parts[1], NULL);

    return g_variant_new("(su)", text, flags);
}

/* What nobody knows is ignored, but for who asks. */
static void
test_validate(void)
{
    const guint validate = VIR_DOMAIN_DEFINE_VALIDATE;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) plain = NULL, valid = NULL;

    plain = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                         with_more(fixture, "<frob/>", 0), "(o)");
    valid = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                         g_variant_new("(su)", "<domain type='kvm'><name>v</name>"
                                               "<memory>65536</memory><os><type>hvm</type>"
                                               "<kernel>/k</kernel></os></domain>",
                                       validate),
                         "(o)");
    fixture_call_fails(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                       with_more(fixture, "\n\n<frob/>", validate), NULL,
                       "XML document failed to validate against schema: Unable to validate doc "
                       "against */domain.rng\nline 3: element <frob> of <domain> is not allowed "
                       "here; expected <uuid>, <title>*");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainCreateXML",
                       with_more(fixture, "<frob/>", VIR_DOMAIN_START_VALIDATE), NULL,
                       "XML document failed to validate against schema: *frob*");
    fixture_call_fails(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                       with_more(fixture, "<keywrap/>", validate), NULL,
                       "unsupported configuration: element <keywrap> of <domain> is not *");
    fixture_call_fails(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                       with_more(fixture, "", 8), NULL,
                       "unsupported flags (0x8) in function virDomainDefineXMLFlags");
}

/* CPUs */

static char *
define_cpu(Fixture *fixture, const char *cpu)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "DomainDefineXMLFlags",
                                             with_more(fixture, cpu, 0), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

#define HOST_MODEL "<cpu mode='host-model' check='partial'/>"

/* A definition tells of the CPU that a guest of it would get, where there is a host to ask. */
static void
test_update_cpu(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_cpu(fixture, HOST_MODEL);
    g_autofree char *plain = fixture_xml_of(fixture, path, 0);
    g_autofree char *fixed = NULL;

    g_assert_nonnull(strstr(plain, HOST_MODEL));
    fixture_call_fails(fixture, path, DOMAIN, "GetXMLDesc", FLAGS(VIR_DOMAIN_XML_UPDATE_CPU), NULL,
                       "unsupported configuration: unknown host CPU model");
    fixture_do(fixture, path, "Undefine", FLAGS(0));
    g_free(path);
    path = define_cpu(fixture, "<cpu mode='host-passthrough'/>");
    fixed = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_UPDATE_CPU);
    g_assert_nonnull(strstr(fixed, "<cpu mode='host-passthrough'"));
}

static void
test_update_cpu_kvm(void)
{
    g_autoptr(Fixture) fixture = NULL;
    g_autofree char *path = NULL, *updated = NULL;

    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        g_test_skip("there is no KVM");
        return;
    }
    fixture = fixture_new_bare();
    fixture_use_kvm(fixture);
    fixture_start_daemon(fixture);
    path = define_cpu(fixture, HOST_MODEL);
    updated = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_UPDATE_CPU);
    g_assert_nonnull(strstr(updated, "<cpu mode='custom' match='exact' check='partial'>"));
    g_assert_nonnull(strstr(updated, "<model fallback='forbid'>"));
    g_assert_nonnull(strstr(updated, "<feature policy='require' name='hypervisor'/>"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus-config/rename", test_rename);
    g_test_add_func("/bus-config/rename-refused", test_rename_refused);
    g_test_add_func("/bus-config/texts", test_texts);
    g_test_add_func("/bus-config/live-texts", test_live_texts);
    g_test_add_func("/bus-config/element", test_element);
    g_test_add_func("/bus-config/refused", test_refused);
    g_test_add_func("/bus-config/vcpus", test_vcpus);
    g_test_add_func("/bus-config/vcpus-refused", test_vcpus_refused);
    g_test_add_func("/bus-config/validate", test_validate);
    g_test_add_func("/bus-config/update-cpu", test_update_cpu);
    g_test_add_func("/bus-config/update-cpu-kvm", test_update_cpu_kvm);
    return g_test_run();
}
