/* Definitions that rest in their files, and the index that spares a daemon reading them: whatever happens to either, a
 * domain is as its file says, or an error says what is wrong with it.
 */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define MANY     100 /* more than are kept awake */
#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static void
define_many(Fixture *fixture, char **paths)
{
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("guest-%u", i);

        paths[i] = fixture_define(fixture, name, "");
    }
}

static guint
count(Fixture *fixture)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", FLAGS(0), "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(paths);
}

static char *
file_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");
    g_autofree char *name = g_strconcat(g_variant_get_string(uuid, NULL), ".xml", NULL);

    return g_build_filename(fixture->dir, "config", "vmctl", "domains", name, NULL);
}

static char *
index_of(Fixture *fixture)
{
    return g_build_filename(fixture->dir, "data", "vmctl", "domains.index", NULL);
}

static char *
contents_of(const char *file)
{
    g_autoptr(GError) error = NULL;
    char *text;

    g_file_get_contents(file, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Each document names its own domain, and only that. Whatever else there is rests then. */
static void
check_each(Fixture *fixture, char **paths)
{
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *xml = fixture_xml_of(fixture, paths[i], 0);
        g_autofree char *name = g_strdup_printf("<name>guest-%u</name>", i);

        g_assert_nonnull(strstr(xml, name));
    }
}

static void
check_documents(Fixture *fixture, char **paths)
{
    check_each(fixture, paths);
    g_assert_cmpuint(count(fixture), ==, MANY);
}

static void
restart(Fixture *fixture, int signal_number)
{
    fixture_end_daemon(fixture, signal_number);
    fixture_start_daemon(fixture);
}

static void
test_many(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) paths = g_new0(char *, MANY + 1);

    define_many(fixture, paths);
    check_documents(fixture, paths);
    restart(fixture, SIGKILL); /* without an index */
    check_documents(fixture, paths);
    restart(fixture, SIGTERM); /* with one */
    check_documents(fixture, paths);
    fixture_do(fixture, paths[0], "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    check_documents(fixture, paths);
    restart(fixture, SIGTERM);
    fixture_do(fixture, paths[0], "Undefine", FLAGS(0)); /* while it runs: transient now */
    fixture_do(fixture, paths[1], "Undefine", FLAGS(0));
    fixture_do(fixture, paths[0], "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "1,0 1,0 5,1");
    restart(fixture, SIGTERM);
    g_assert_cmpuint(count(fixture), ==, MANY - 2);
}

/* What is told of a domain that does not run: its title and its figures, and how many lists there are of them. */
static char *
told_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) stats =
        fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", 0, 0), "(a{sv})");
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "ListAllDomainTitles", FLAGS(0), "(a{os})");
    g_autoptr(GVariant) titles = g_variant_get_child_value(reply, 0);
    g_autofree char *figures = g_variant_print(stats, FALSE);
    const char *title = "";

    g_variant_lookup(titles, path, "&s", &title);
    return g_strdup_printf("%s|%s", title, figures);
}

static char *
document_with(Fixture *fixture, const char *title, const char *image)
{
    return g_markup_printf_escaped(
        "<domain type='kvm'><name>zz</name><uuid>c0e5b5e8-8b5c-4f7e-9a44-3f1d0c9b7a10</uuid>"
        "<title>%s</title><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s/%s'/>"
        "<target dev='vda' bus='virtio'/></disk><disk type='file' device='cdrom'>"
        "<target dev='vdb' bus='virtio'/></disk></devices></domain>",
        title, fixture->dir, image);
}

static char *
define_document(Fixture *fixture, const char *xml)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static void
assert_told(Fixture *fixture, char **others, const char *path, const char *expected)
{
    g_autofree char *told = NULL;

    check_each(fixture, others);
    told = told_of(fixture, path);
    g_assert_cmpstr(told, ==, expected);
}

/* It is the same whether the definition is there, rests, or only the index knows of it, whatever its words. */
static void
test_told(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) others = g_new0(char *, MANY + 1);
    g_autofree char *image = g_build_filename(fixture->dir, "a b%20.img", NULL);
    g_autofree char *xml = document_with(fixture, "\303\274ber 100 %41 \t&", "a b%20.img");
    g_autofree char *path = define_document(fixture, xml);
    g_autofree char *told = NULL;

    fixture_expect_events(fixture, "0,0");
    g_assert_true(g_file_set_contents(image, "0123456789abcdef", -1, NULL));
    told = told_of(fixture, path);
    g_assert_true(g_str_has_prefix(told, "\303\274ber 100 %41 \t&|"));
    g_assert_nonnull(strstr(told, image));
    g_assert_nonnull(strstr(told, "'block.count': <<uint32 2>>"));
    g_assert_nonnull(strstr(told, "'block.0.capacity': <<uint64 16>>"));
    g_assert_nonnull(strstr(told, "'block.1.name': <<'vdb'>>"));
    define_many(fixture, others);
    assert_told(fixture, others, path, told);
    restart(fixture, SIGKILL); /* without an index */
    assert_told(fixture, others, path, told);
    g_usleep(50000); /* old enough to be believed */
    restart(fixture, SIGTERM);
    assert_told(fixture, others, path, told);
    restart(fixture, SIGTERM); /* what the index says now was in the one before */
    assert_told(fixture, others, path, told);
}

/* What changes a definition that rests changes what is told of it. */
static void
test_told_anew(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) others = g_new0(char *, MANY + 1);
    g_autofree char *before = document_with(fixture, "before", "before.img");
    g_autofree char *after = document_with(fixture, "after", "after.img");
    g_autofree char *path = define_document(fixture, before);
    g_autofree char *told = NULL, *defined = NULL, *changed = NULL;

    fixture_expect_events(fixture, "0,0");
    define_many(fixture, others);
    told = told_of(fixture, path);
    g_assert_nonnull(strstr(told, "/before.img'>>"));
    g_free(define_document(fixture, after));
    defined = told_of(fixture, path);
    g_assert_true(g_str_has_prefix(defined, "after|"));
    g_assert_nonnull(strstr(defined, "/after.img'>>"));
    assert_told(fixture, others, path, defined);
    fixture_do(fixture, path, "SetMetadata",
               g_variant_new("(isssu)", VIR_DOMAIN_METADATA_TITLE, "changed", "", "",
                             VIR_DOMAIN_AFFECT_CONFIG));
    fixture_do(fixture, path, "DetachDevice",
               g_variant_new("(su)", "<disk type='file' device='cdrom'><target dev='vdb'/></disk>",
                             VIR_DOMAIN_AFFECT_CONFIG));
    check_each(fixture, others);
    changed = told_of(fixture, path);
    g_assert_true(g_str_has_prefix(changed, "changed|"));
    g_assert_nonnull(strstr(changed, "'block.count': <<uint32 1>>"));
    restart(fixture, SIGTERM);
    assert_told(fixture, others, path, changed);
}

/* A file that is damaged while its definition rests: it is an error that names the domain, it stays in the list, and the
 * file is left alone; after a restart it is reported. */
static void
test_damaged_file(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) paths = g_new0(char *, MANY + 1);
    g_autofree char *file = NULL, *text = NULL;

    define_many(fixture, paths);
    file = file_of(fixture, paths[0]);
    g_assert_true(g_file_set_contents(file, "<domain type='kvm'><name>guest-0</na", -1, NULL));
    fixture_call_fails(fixture, paths[0], DOMAIN, "GetXMLDesc", FLAGS(0), NULL,
                       "*the definition of domain 'guest-0' is damaged: *");
    fixture_call_fails(fixture, paths[0], DOMAIN, "Create", FLAGS(0), NULL, "*is damaged: *");
    fixture_call_fails(fixture, paths[0], DOMAIN, "Undefine", FLAGS(0), NULL,
                       "*is damaged: *; mend '*.xml', move it away, or define the domain anew");
    g_assert_cmpuint(count(fixture), ==, MANY);
    g_assert_cmpint(fixture_state(fixture, paths[0]), ==, VIR_DOMAIN_SHUTOFF);
    g_usleep(50000); /* old enough for an index to be believed */
    restart(fixture, SIGTERM);
    g_assert_cmpuint(count(fixture), ==, MANY - 1);
    text = contents_of(file);
    g_assert_cmpstr(text, ==, "<domain type='kvm'><name>guest-0</na");
}

/* The path of a domain with @nvram. */
static char *
define_firmware(Fixture *fixture, const char *name, const char *nvram)
{
    g_autofree char *xml =
        g_strdup_printf("<domain type='kvm'><name>%s</name><memory unit='MiB'>64</memory><os>"
                        "<type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' "
                        "type='pflash'>%s/code.fd"
                        "</loader>%s</os><features><acpi/></features></domain>",
                        name, fixture->dir, nvram);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    fixture_expect_events(fixture, "0,0");
    return path;
}

/* The same with a file of variables. */
static char *
define_uefi(Fixture *fixture, const char *variables)
{
    g_autofree char *nvram = g_strdup_printf("<nvram>%s</nvram>", variables);
    char *path = define_firmware(fixture, "uefi", nvram);

    g_assert_true(g_file_set_contents(variables, "variables", -1, NULL));
    return path;
}

/* A file of variables keeps its definition from being undefined, whether that rests or only the index knows of it. */
static void
test_nvram(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) paths = g_new0(char *, MANY + 1);
    g_autofree char *variables = g_build_filename(fixture->dir, "vars.fd", NULL);
    g_autofree char *path = define_uefi(fixture, variables);

    define_many(fixture, paths);
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(0), NULL, "*domain with nvram*");
    g_usleep(50000); /* old enough for an index to be believed */
    restart(fixture, SIGTERM);
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(0), NULL, "*domain with nvram*");
    fixture_do(fixture, path, "Undefine", FLAGS(VIR_DOMAIN_UNDEFINE_NVRAM));
    g_assert_false(g_file_test(variables, G_FILE_TEST_EXISTS));
}

static void
undefine_fails(Fixture *fixture, const char *path, const char *message)
{
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(VIR_DOMAIN_UNDEFINE_NVRAM), NULL, message);
}

/* A definition that cannot go keeps its variables, and variables that cannot go keep their definition. */
static void
test_nvram_stays(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *variables = g_build_filename(fixture->dir, "vars.fd", NULL);
    g_autofree char *path = define_uefi(fixture, variables);
    g_autofree char *file = file_of(fixture, path);
    g_autofree char *in_the_way = g_strconcat(file, ".old", NULL);
    g_autofree char *link = g_build_filename(fixture->dir, "config", "vmctl", "autostart",
                                             strrchr(file, '/'), NULL);

    g_variant_unref(fixture_call(fixture, path, "org.freedesktop.DBus.Properties", "Set",
                                 g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(TRUE)), "()"));
    g_assert_cmpint(g_mkdir(in_the_way, 0700), ==, 0);
    undefine_fails(fixture, path, "*cannot remove*");
    g_assert_true(g_file_test(variables, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(in_the_way), ==, 0);

    g_assert_cmpint(g_unlink(variables), ==, 0);
    g_assert_cmpint(g_mkdir(variables, 0700), ==, 0);
    undefine_fails(fixture, path, "*failed to remove nvram*");
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(link, G_FILE_TEST_EXISTS));
}

/* Where a domain without a word of it in its document has its variables. */
static char *
variables_of(Fixture *fixture, const char *path)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, 0);
    g_autoptr(GRegex) regex = g_regex_new("<nvram>(.*)</nvram>", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    g_assert_true(g_regex_match(regex, xml, 0, &match));
    return g_match_info_fetch(match, 1);
}

static GVariant *
new_name(const char *name)
{
    return g_variant_new("(su)", name, 0);
}

/* The variables go with the name, so that whoever has it next does not get them. */
static void
test_nvram_renamed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_firmware(fixture, "a", "");
    g_autofree char *first = variables_of(fixture, path), *dir = g_path_get_dirname(first);
    g_autofree char *then = NULL, *next = NULL, *second = NULL, *text = NULL;

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(first, "of the first", -1, NULL));
    fixture_do(fixture, path, "Rename", new_name("b"));
    fixture_expect_events(fixture, "1,1 0,2");
    then = variables_of(fixture, path);
    text = contents_of(then);
    g_assert_cmpstr(text, ==, "of the first");
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));

    next = define_firmware(fixture, "a", "");
    second = variables_of(fixture, next);
    g_assert_cmpstr(second, !=, then);
    g_assert_true(g_file_set_contents(second, "of the second", -1, NULL));
    fixture_do(fixture, next, "Undefine", FLAGS(VIR_DOMAIN_UNDEFINE_NVRAM));
    g_assert_true(g_file_test(then, G_FILE_TEST_EXISTS));

    /* Not in place of what was kept of another one. */
    g_assert_true(g_file_set_contents(second, "kept", -1, NULL));
    fixture_call_fails(fixture, path, DOMAIN, "Rename", new_name("a"), NULL, "*cannot rename the NVRAM to *a_VARS.fd*");
    g_assert_true(g_file_test(then, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(second, G_FILE_TEST_EXISTS));
}

/* What an administrator then does: moves the file away and undefines, or defines the domain anew. */
static void
test_mended(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_auto(GStrv) paths = g_new0(char *, MANY + 1);
    g_autofree char *moved = NULL, *replaced = NULL, *good = NULL;

    define_many(fixture, paths);
    moved = file_of(fixture, paths[0]);
    replaced = file_of(fixture, paths[1]);
    good = contents_of(replaced);
    g_assert_true(g_file_set_contents(moved, "<domain", -1, NULL));
    g_assert_true(g_file_set_contents(replaced, "<domain", -1, NULL));
    fixture_call_fails(fixture, paths[0], DOMAIN, "Undefine", FLAGS(0), NULL, "*is damaged: *");
    g_assert_no_errno(g_unlink(moved));
    fixture_do(fixture, paths[0], "Undefine", FLAGS(0));
    fixture_expect_events(fixture, "1,0");
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", good), "(o)"));
    fixture_expect_events(fixture, "0,1");
    g_assert_cmpuint(count(fixture), ==, MANY - 1);
    g_variant_unref(fixture_call(fixture, paths[1], DOMAIN, "GetXMLDesc", FLAGS(0), "(s)"));
}

/* One that no daemon could read has no domain. Who defines one with its uuid gets it, and the file is kept. */
static void
test_put_aside(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "twice", "");
    g_autofree char *file = file_of(fixture, path);
    g_autofree char *good = contents_of(file);
    g_autofree char *aside = g_strconcat(file, ".aside", NULL);
    g_autofree char *next = g_strconcat(file, ".aside1", NULL);

    for (int i = 0; i < 2; i++) {
        fixture_end_daemon(fixture, SIGTERM);
        g_assert_true(g_file_set_contents(file, i ? "<domai" : "<dom", -1, NULL));
        fixture_start_daemon(fixture);
        g_assert_cmpuint(count(fixture), ==, 0);
        g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                     g_variant_new("(s)", good), "(o)"));
        fixture_expect_events(fixture, "0,0");
    }
    restart(fixture, SIGTERM);
    g_assert_cmpuint(count(fixture), ==, 1);
    g_free(good);
    good = contents_of(aside);
    g_assert_cmpstr(good, ==, "<dom");
    g_free(good);
    good = contents_of(next);
    g_assert_cmpstr(good, ==, "<domai");
}

/* An index is believed only about files that are the very ones. */
static void
test_changed_file(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "before", "");
    g_autofree char *file = file_of(fixture, path);
    g_autofree char *text = contents_of(file);
    g_auto(GStrv) parts = g_strsplit(text, "before", 2);
    g_autofree char *changed = g_strjoin("after_", parts[0], parts[1], NULL);
    g_autoptr(GVariant) name = NULL;

    g_usleep(50000); /* old enough to be believed */
    fixture_end_daemon(fixture, SIGTERM);
    g_assert_true(g_file_set_contents(file, changed, -1, NULL));
    fixture_start_daemon(fixture);
    name = fixture_get(fixture, path, DOMAIN, "Name");
    g_assert_cmpstr(g_variant_get_string(name, NULL), ==, "after_");
    g_assert_cmpuint(count(fixture), ==, 1);
}

/* Whatever the index is, the domains are there. */
static void
test_damaged_index(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "still-here", "");
    g_autofree char *index = index_of(fixture);
    g_autofree char *good = NULL, *other = NULL;
    g_auto(GStrv) parts = NULL;

    g_usleep(50000);
    restart(fixture, SIGTERM);
    good = contents_of(index);
    g_assert_nonnull(strstr(good, "still-here"));
    parts = g_strsplit(good, "still-here", 2);
    other = g_strjoin("not-here!!", parts[0], parts[1], NULL); /* whose checksum is wrong */
    for (guint i = 0; i < 4; i++) {
        const char *texts[] = { "", "vmctl-domains 3 0 0\n", other, NULL };
        g_autoptr(GVariant) name = NULL;

        fixture_end_daemon(fixture, SIGTERM);
        if (texts[i])
            g_assert_true(g_file_set_contents(index, texts[i], -1, NULL));
        else
            g_unlink(index);
        fixture_start_daemon(fixture);
        name = fixture_get(fixture, path, DOMAIN, "Name");
        g_assert_cmpstr(g_variant_get_string(name, NULL), ==, "still-here");
        g_assert_cmpuint(count(fixture), ==, 1);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/rest/many", test_many);
    g_test_add_func("/bus/rest/told", test_told);
    g_test_add_func("/bus/rest/told-anew", test_told_anew);
    g_test_add_func("/bus/rest/damaged-file", test_damaged_file);
    g_test_add_func("/bus/rest/mended", test_mended);
    g_test_add_func("/bus/rest/put-aside", test_put_aside);
    g_test_add_func("/bus/rest/changed-file", test_changed_file);
    g_test_add_func("/bus/rest/nvram", test_nvram);
    g_test_add_func("/bus/rest/nvram-stays", test_nvram_stays);
    g_test_add_func("/bus/rest/nvram-renamed", test_nvram_renamed);
    g_test_add_func("/bus/rest/damaged-index", test_damaged_index);
    return g_test_run();
}
