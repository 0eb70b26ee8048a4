/* The policy table against the list of all that libvirt 9.0's schema allows near the top of a domain
 * document, and of what later versions' documentation has beyond that: nothing is missing, and each refusal names
 * what is refused. */
#include "driver/error.h"
#include "driver/xml-policy.h"
#include "driver/xml-write.h"
#include "tests/unit/xml-fixture.h"

#include <string.h>

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

#define for_each_row(row)                                                                          \
    for (const XmlPolicy *const *table_ = xml_policy_tables; *table_; table_++)                    \
        for (const XmlPolicy *row = *table_; row->path; row++)

static char **
libvirt_paths(void)
{
    g_autofree char *old_path = source_path("tests/data/libvirt-9.0-domain-paths.txt");
    g_autofree char *newer_path = source_path("tests/data/libvirt-newer-domain-paths.txt");
    g_autofree char *old = read_file(old_path), *newer = read_file(newer_path);
    g_autofree char *text = g_strconcat(old, newer, NULL);

    return g_strsplit(g_strchomp(text), "\n", -1);
}

/* The row for @path itself, or for one of the elements around it that is dealt with as a whole. */
static const XmlPolicy *
find_cover(const char *path)
{
    g_autofree char *part = g_strdup(path);
    const XmlPolicy *policy = xml_policy_find(path);
    char *slash;

    while (!policy && *part != '{' && (slash = strrchr(part, '/'))) {
        *slash = '\0';
        policy = xml_policy_find(part);
        if (policy && policy->verdict != XML_REJECT && policy->verdict != XML_VERBATIM &&
            policy->verdict != XML_KEEP)
            return NULL;
    }
    return policy;
}

static void
test_covers_libvirt(void)
{
    g_auto(GStrv) paths = libvirt_paths();

    g_assert_cmpuint(g_strv_length(paths), >, 700);
    for (char **path = paths; *path; path++) {
        if (!find_cover(*path))
            g_error("the table says nothing about %s", *path);
    }
}

/* A row that libvirt knows nothing of would never be missed. */
static void
test_rows_are_libvirts(void)
{
    g_auto(GStrv) paths = libvirt_paths();

    for_each_row(row)
    {
        if (!g_strv_contains((const char *const *)paths, row->path))
            g_error("libvirt does not know %s", row->path);
    }
}

/* An attribute of an element of <devices> itself. */
static gboolean
is_of_device(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    return g_strv_length(parts) == 3 && strcmp(parts[0], "devices") == 0;
}

static void
test_rows_are_sound(void)
{
    for_each_row(policy)
    {
        g_assert_true(xml_policy_find(policy->path) == policy);
        g_assert_true((policy->verdict == XML_ACCEPT || policy->verdict == XML_KEEP || policy->kept) ==
                      (policy->reason != NULL));
        g_assert_true(!policy->kept || g_str_has_suffix(policy->path, "/@type") ||
                      g_str_has_suffix(policy->path, "/@bus") || g_str_has_suffix(policy->path, "/@model"));
        if (policy->verdict == XML_REJECT || policy->verdict == XML_VERBATIM)
            g_assert_null(policy->words);
        g_assert_true(!policy->kept || is_of_device(policy->path));
    }
}

/* An element has what is about it, and nothing that is about another one of its name. */
static void
test_places(void)
{
    const XmlPlace *domain = xml_place_domain(), *devices = xml_place_element(domain, NULL, "devices");
    const XmlPlace *disk = xml_place_element(devices, NULL, "disk");

    g_assert_null(xml_place_policy(domain));
    g_assert_cmpstr(xml_place_policy(disk)->path, ==, "devices/disk");
    g_assert_cmpstr(xml_place_policy(xml_place_attr(disk, "type"))->path, ==, "devices/disk/@type");
    g_assert_cmpstr(xml_place_policy(xml_place_attr(domain, "type"))->path, ==, "@type");
    g_assert_null(xml_place_element(domain, NULL, "disk"));
    g_assert_null(xml_place_element(disk, NULL, "type"));
    g_assert_null(xml_place_attr(domain, "devices"));
    g_assert_null(xml_place_element(domain, "urn:x", "devices"));
    g_assert_null(xml_place_element(domain, QEMU_URI "/", "commandline"));
    g_assert_null(xml_place_element(domain, NULL, "commandline"));
    g_assert_nonnull(xml_place_element(domain, QEMU_URI, "commandline"));
    g_assert_null(xml_place_element(NULL, NULL, "disk"));
    g_assert_null(xml_place_attr(NULL, "type"));
    g_assert_null(xml_policy_find(""));
    g_assert_null(xml_policy_find("{urn"));
}

/* A document with just @path in it, its value @value. */
static char *
document_for(const char *path, const char *value)
{
    g_auto(GStrv) parts = *path == '{' ? NULL : g_strsplit(path, "/", -1);
    XmlWriter *out = xml_writer_new();
    guint opened = 0;

    xml_open(out, "domain");
    for (char **part = parts; part && *part; part++) {
        if (**part == '@') {
            xml_put_attr(out, *part + 1, value);
        } else {
            xml_open(out, *part);
            opened++;
            if (!part[1] && *value)
                xml_put_text(out, value);
        }
    }
    if (!parts) {
        g_auto(GStrv) name = g_strsplit(path + 1, "}", 2);
        g_autofree char *raw = g_strdup_printf("<x:%s xmlns:x='%s'/>", name[1], name[0]);

        xml_put_raw(out, raw);
    }
    while (opened--)
        xml_close(out);
    xml_close(out);
    return xml_writer_finish(out);
}

static gboolean
check(const char *path, const char *value, GError **error)
{
    g_autofree char *xml = document_for(path, value);
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(test)", "domain", error);

    g_assert_nonnull(doc);
    return xml_policy_check(xml_doc_root(doc), error);
}

static void
assert_refused(const char *path, const char *value)
{
    const char *last = strrchr(path, *path == '{' ? '}' : '/');
    const char *name = last ? last + 1 : path;
    g_autoptr(GError) error = NULL;

    if (check(path, value, &error))
        g_error("%s with '%s' passes", path, value);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_true(g_str_has_prefix(error->message, "unsupported configuration: "));
    g_assert_true(g_str_has_suffix(error->message, " is not supported yet by this machine"));
    g_assert_nonnull(strstr(error->message, name + (*name == '@')));
    g_assert_nonnull(strstr(error->message, value));
}

static void
assert_taken(const char *path, const char *value)
{
    g_autoptr(GError) error = NULL;

    check(path, value, &error);
    g_assert_no_error(error);
}

static void
test_row(const XmlPolicy *policy)
{
    g_auto(GStrv) words = g_strsplit(policy->words ? policy->words : "", " ", -1);

    if (policy->verdict == XML_REJECT)
        assert_refused(policy->path, "");
    else
        assert_taken(policy->path, policy->verdict == XML_ACCEPT && *words ? *words : "other");
    for (char **word = words; *word; word++) {
        if (policy->verdict == XML_ACCEPT)
            assert_taken(policy->path, *word);
        else
            assert_refused(policy->path, *word);
    }
    if (policy->verdict == XML_ACCEPT && policy->words)
        assert_refused(policy->path, "other");
}

static void
test_each_row(void)
{
    for_each_row(row)
        test_row(row);
}

/* Words are whole words. */
static void
test_parts_of_words(void)
{
    assert_taken("@type", "qem");
    assert_taken("@type", "emu");
    assert_taken("@type", "qemu xen");
    assert_taken("@type", "");
    assert_refused("@type", "qemu");
    assert_refused("@type", "none");
}

static void
test_unknown_is_ignored(void)
{
    assert_taken("foo", "");
    assert_taken("foo/@bar", "x");
    assert_taken("devices/foo/disk", "");
    assert_taken("{urn:other}disk", "");
    assert_taken("metadata/disk", "");
}

static gboolean
check_text(const char *xml, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(test)", "domain", error);

    g_assert_nonnull(doc);
    return xml_policy_check(xml_doc_root(doc), error);
}

/* Nothing is read once and dropped once. */
static void
test_twice(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(check_text("<domain><devices><serial/><serial/></devices></domain>", NULL));
    g_assert_true(check_text("<domain><foo/><foo/></domain>", NULL));
    g_assert_false(check_text("<domain><devices/><a/><devices/></domain>", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
    g_assert_cmpstr(error->message, ==,
                    "XML error: element <devices> of <domain> is there more than once");
}

/* The manual */

/* Without the escapes of roff. */
static char *
read_manual(void)
{
    const char *top = g_getenv("VMCTL_TOP_BUILDDIR");
    g_autofree char *path = g_build_filename(top ? top : ".", "man/vmctl-domain.5", NULL);
    g_autofree char *text = read_file(path);
    g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
    GString *plain = g_string_new(parts[0]);

    for (char **part = parts + 1; *part; part++)
        g_string_append(plain, **part == '&' ? *part + 1 : *part);
    return g_string_free(plain, FALSE);
}

/* The text from @begin, itself left out, to @end or the end. */
static char *
cut(const char *text, const char *begin, const char *end)
{
    const char *from = strstr(text, begin), *to;

    if (!from)
        return g_strdup("");
    from += strlen(begin);
    to = strstr(from, end);
    return to ? g_strndup(from, to - from) : g_strdup(from);
}

/* What the manual says about things of the row's section with the row's verdict. */
static char *
manual_paragraph(const char *manual, const XmlPolicy *row, const char **ret_name)
{
    static const char *const titles[] = {
        [XML_HONOUR] = "Honoured",
        [XML_EACH] = "Honoured",
        [XML_VERBATIM] = "Honoured",
        [XML_ACCEPT] = "Accepted, as it changes nothing",
        [XML_KEEP] = "Kept without effect",
        [XML_REJECT] = "Refused",
    };
    g_auto(GStrv) parts = g_strsplit(*row->path == '{' ? "domain" : row->path, "/", 3);
    gboolean device = strcmp(parts[0], "devices") == 0 && parts[1] && *parts[1] != '@';
    g_autofree char *own = device ? g_strconcat("devices/", parts[1], NULL) : g_strdup(parts[0]);
    g_autofree char *header =
        g_strdup_printf("\n.SS %s\n", *own == '@' ? "domain" : own);
    g_autofree char *title = g_strdup_printf(".I %s\n", titles[row->verdict]);
    g_autofree char *section = cut(manual, header, "\n.SS ");

    *ret_name = g_str_has_prefix(row->path, own) && row->path[strlen(own)] == '/'
                    ? row->path + strlen(own) + 1
                    : row->path;
    return cut(section, title, "\n.TP\n");
}

static gboolean
names(const char *paragraph, const char *name)
{
    gsize length = strlen(name);

    for (const char *at = paragraph; *at; at++) {
        if ((at == paragraph || at[-1] == '\n') && g_str_has_prefix(at, name) &&
            strchr(";.: ", at[length]))
            return TRUE;
    }
    return FALSE;
}

/* Every row is in its place, and with each of its words. */
static void
test_manual(void)
{
    g_autofree char *manual = read_manual();

    for_each_row(row)
    {
        const char *name;
        g_autofree char *paragraph = manual_paragraph(manual, row, &name);
        g_auto(GStrv) words = g_strsplit(row->words ? row->words : "", " ", -1);

        if (!names(paragraph, name))
            g_error("the manual does not say what becomes of %s", row->path);
        for (char **word = words; *word; word++)
            g_assert_nonnull(strstr(paragraph, *word));
        if (row->reason && row->verdict != XML_HONOUR)
            g_assert_nonnull(strstr(paragraph, row->reason));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-policy/covers-libvirt", test_covers_libvirt);
    g_test_add_func("/xml-policy/rows-are-libvirts", test_rows_are_libvirts);
    g_test_add_func("/xml-policy/rows-are-sound", test_rows_are_sound);
    g_test_add_func("/xml-policy/places", test_places);
    g_test_add_func("/xml-policy/each-row", test_each_row);
    g_test_add_func("/xml-policy/parts-of-words", test_parts_of_words);
    g_test_add_func("/xml-policy/unknown-is-ignored", test_unknown_is_ignored);
    g_test_add_func("/xml-policy/twice", test_twice);
    g_test_add_func("/xml-policy/manual", test_manual);
    return g_test_run();
}
