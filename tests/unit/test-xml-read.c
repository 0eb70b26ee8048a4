/* Reading what hostile hands may have written: quickly refused, with a place. */
#include "driver/error.h"
#include "driver/xml-limits.h"
#include "driver/xml-read.h"

#include <libxml/xmlmemory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What a refusal may cost is counted in bytes that libxml2 asks for, not in time: that is the same on each
 * machine. A small tree takes 40 bytes for each of the document's; an expansion, thousands.
 */
#define COST_PER_BYTE 100
#define COST_ANYWAY   (1 << 20)
#define HANG_S        120 /* whatever costs only time, and that without end */

static gsize asked;

static void *
count_malloc(size_t size)
{
    asked += size;
    return malloc(size);
}

static void *
count_realloc(void *memory, size_t size)
{
    asked += size;
    return realloc(memory, size);
}

static char *
count_strdup(const char *text)
{
    asked += strlen(text) + 1;
    return strdup(text);
}

static XmlDoc *
parse(const char *xml, GError **error)
{
    return xml_doc_parse(xml, "(test)", "domain", error);
}

static void
assert_refused(const char *xml, const char *start)
{
    g_autoptr(GError) error = NULL;
    gsize before = asked;

    g_assert_null(parse(xml, &error));
    g_assert_cmpuint(asked - before, <, COST_ANYWAY + COST_PER_BYTE * strlen(xml));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_DETAIL);
    if (!g_str_has_prefix(error->message, start))
        g_error("'%s' does not begin with '%s'", error->message, start);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_cmpuint(strlen(error->message), <, 1000);
}

static XmlDoc *
assert_parsed(const char *xml)
{
    g_autoptr(GError) error = NULL;
    XmlDoc *doc = parse(xml, &error);

    g_assert_no_error(error);
    return doc;
}

static char *
repeat(const char *before, const char *part, guint n, const char *after)
{
    GString *text = g_string_new(before);

    for (guint i = 0; i < n; i++)
        g_string_append(text, part);
    g_string_append(text, after);
    return g_string_free(text, FALSE);
}

static void
test_billion_laughs(void)
{
    GString *xml = g_string_new("<!DOCTYPE domain [<!ENTITY a0 'ha'>");

    for (int i = 1; i < 30; i++)
        g_string_append_printf(xml, "<!ENTITY a%d '&a%d;&a%d;&a%d;'>", i, i - 1, i - 1, i - 1);
    g_string_append(xml, "]>\n<domain>&a29;</domain>");
    assert_refused(xml->str, "(test):1: a document type declaration is not allowed\n");
    g_string_free(xml, TRUE);
}

/* One large entity, used often: 180 kB that would become gigabytes. */
static void
test_quadratic_blowup(void)
{
    g_autofree char *entity = repeat("<!DOCTYPE domain [<!ENTITY a '", "a", 90000, "'>]>");
    g_autofree char *xml = repeat(entity, "", 0, "<domain>");
    g_autofree char *whole = repeat(xml, "&a;", 30000, "</domain>");

    assert_refused(whole, "(test):1: a document type declaration is not allowed\n");
}

static void
test_external(void)
{
    assert_refused("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'>\n<domain/>", "(test):1: ");
    assert_refused("<?xml version='1.0'?>\n<!-- c -->\n<!DOCTYPE domain PUBLIC 'a' 'http://[::1]/'>"
                   "<domain/>",
                   "(test):3: a document type declaration is not allowed\n");
    assert_refused("<domain><!DOCTYPE x></domain>", "(test):1: ");
    assert_refused("<domain>&a;</domain>", "(test):1: Entity 'a' not defined\n");
}

/* An inclusion stays an element that means nothing. */
static void
test_xinclude(void)
{
    g_autoptr(XmlDoc) doc =
        assert_parsed("<domain><i:include xmlns:i='http://www.w3.org/2001/XInclude' "
                      "href='/etc/passwd' parse='text'/></domain>");
    g_autofree char *text = xml_text(xml_doc_root(doc));

    g_assert_cmpstr(text, ==, "");
}

static void
test_depth(void)
{
    g_autofree char *deepest = repeat("", "<domain>", XML_DEPTH_MAX, "");
    g_autofree char *fits = repeat(deepest, "</domain>", XML_DEPTH_MAX, "");
    g_autofree char *deep = repeat("", "<a>", 100000, "");
    g_autoptr(XmlDoc) doc = assert_parsed(fits);

    assert_refused(deep, "(test):1: elements are nested too deeply\n");
}

static char *
with_attributes(guint n)
{
    GString *xml = g_string_new("<domain");

    for (guint i = 0; i < n; i++)
        g_string_append_printf(xml, " a%u='<>=\"'", i);
    g_string_append(xml, "/>");
    for (char *at = xml->str; *at; at++) { /* a '<' is not allowed there, but must not mislead */
        if (*at == '<' && at != xml->str)
            *at = '>';
    }
    return g_string_free(xml, FALSE);
}

static void
test_attributes(void)
{
    g_autofree char *fits = with_attributes(XML_ATTRIBUTES_MAX);
    g_autofree char *many = with_attributes(XML_ATTRIBUTES_MAX + 1);
    g_autofree char *hostile = with_attributes(50000);
    g_autoptr(XmlDoc) doc = assert_parsed(fits);

    assert_refused(many, "(test):1: the element has too many attributes\n");
    assert_refused(hostile, "(test):1: the element has too many attributes\n");
}

static void
test_namespaces(void)
{
    GString *xml = g_string_new("<domain>");

    for (int i = 0; i < 300; i++)
        g_string_append_printf(xml, "<a xmlns:n%d='urn:%d'/>\n", i, i);
    g_string_append(xml, "</domain>");
    assert_refused(xml->str, "(test):257: the document declares too many namespaces\n");
    g_string_free(xml, TRUE);
}

/* libxml2 would copy all of the comment so far for each pair of hyphens; for this one that takes hours. */
static void
test_comments(void)
{
    g_autofree char *opened = repeat("<domain>\n", "<!--", 1000000, "");
    g_autoptr(XmlDoc) doc = assert_parsed("<!----><domain><!-- <a b=' - --></domain><!-- -->");

    assert_refused(opened, "(test):2: two hyphens within a comment\n");
    assert_refused("<domain><!-- a -- b --></domain>", "(test):1: two hyphens within a comment\n");
    assert_refused("<domain><!-- a ---></domain>", "(test):1: two hyphens within a comment\n");
    assert_refused("<domain><!-- a --", "(test):1: ");
}

static void
test_size(void)
{
    g_autofree char *fits = repeat("<domain>", "<a/>", 1000000, "</domain>");
    g_autofree char *large = repeat("<domain>", "<a b=''/>", 5 << 20 >> 3, "</domain>");
    g_autoptr(XmlDoc) doc = assert_parsed(fits);

    assert_refused(large, "(test):1: the document is too large\n");
}

static void
test_encodings(void)
{
    static const char ebcdic[] = "\x4c\x6f\xa7\x94\x93\x40", utf16[] = "\xff\xfe<\0d\0";
    g_autoptr(XmlDoc) latin = assert_parsed("<?xml version='1.0' encoding='ISO-8859-1'?>"
                                            "<domain>g\xe4st</domain>");
    g_autoptr(XmlDoc) bom = assert_parsed("\xef\xbb\xbf<domain/>");
    g_autofree char *text = xml_text(xml_doc_root(latin));

    g_assert_cmpstr(text, ==, "gäst");
    assert_refused(ebcdic, "(test):1: Start tag expected, '<' not found\n");
    assert_refused(utf16, "(test):1: Start tag expected, '<' not found\n");
    assert_refused("<?xml version='1.0' encoding='UTF-7'?><domain/>",
                   "(test):1: Unsupported encoding\n");
    assert_refused("<?xml version='1.0' encoding=\"UTF-16\"?><domain/>",
                   "(test):1: Unsupported encoding\n");
    assert_refused("<domain>g\xe4st</domain>",
                   "(test):1: Input is not proper UTF-8, indicate encoding !\n");
}

static void
test_place(void)
{
    static const struct {
        const char *xml, *message;
    } cases[] = {
        { "", "(test):1: Document is empty\n\n^" },
        { "hello\n", "(test):1: Start tag expected, '<' not found\nhello\n^" },
        { "<domain>\n  <a>\n</domain>",
          "(test):3: Opening and ending tag mismatch: a line 2 and domain\n</domain>\n---------^" },
        { "<domain type=kvm>",
          "(test):1: AttValue: \" or ' expected\n<domain type=kvm>\n-------------^" },
        { "<domain/>\n\n<domain/>",
          "(test):3: Extra content at the end of the document\n<domain/>\n^" },
        { "<domain>\n<name>a</name>\n\n",
          "(test):4: Premature end of data in tag domain line 1\n\n^" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(cases[i].xml, &error));
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_DETAIL);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_long_line(void)
{
    g_autofree char *blanks = repeat("<domain>", "<a/> ", 100000, "</wrong>");
    g_autofree char *more = repeat(blanks, "x", 100000, "");

    assert_refused(more, "(test):1: Opening and ending tag mismatch: domain line 1 and wrong\n");
}

static void
test_root(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(parse("<network/>", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
    g_assert_cmpstr(error->message, ==,
                    "XML error: expecting root element of 'domain', not 'network'");
}

static void
test_walk(void)
{
    g_autoptr(XmlDoc) doc =
        assert_parsed("<domain><!-- c --><n:b xmlns:n='urn:n'/>text<a>1</a><b n:x='0' x='2' "
                      "xmlns:n='urn:n'/><a>3</a></domain>");
    XmlNode *root = xml_doc_root(doc), *first = xml_first(root);
    g_autofree char *a = xml_child_text(root, "a");
    g_autofree char *x = xml_attr(xml_child(root, "b"), "x");

    g_assert_cmpstr(xml_name(first), ==, "b");
    g_assert_cmpstr(xml_namespace(first), ==, "urn:n");
    g_assert_cmpstr(xml_prefix(first), ==, "n");
    g_assert_cmpstr(xml_name(xml_next(first)), ==, "a");
    g_assert_null(xml_namespace(xml_next(first)));
    g_assert_cmpuint(xml_count_children(root, "a"), ==, 2);
    g_assert_cmpuint(xml_count_children(root, "b"), ==, 1);
    g_assert_cmpstr(a, ==, "1");
    g_assert_cmpstr(x, ==, "2");
    g_assert_null(xml_child(root, "c"));
    g_assert_null(xml_attr(root, "x"));
}

/* What is only looked at is the document's own, but for what stands there in several pieces. */
static void
test_peek(void)
{
    g_autoptr(XmlDoc) doc = assert_parsed("<domain x='1' empty=''><a>one</a><b>t<!-- c -->w<![CDATA[o]]></b><c/></domain>");
    const XmlNode *root = xml_doc_root(doc);
    char *own = NULL;

    g_assert_cmpstr(xml_peek_attr(root, "x", &own), ==, "1");
    g_assert_null(own);
    g_assert_cmpstr(xml_peek_attr(root, "empty", &own), ==, "");
    g_assert_null(xml_peek_attr(root, "y", &own));
    g_assert_cmpstr(xml_peek_child_text(root, "a", &own), ==, "one");
    g_assert_null(own);
    g_assert_cmpstr(xml_peek_child_text(root, "b", &own), ==, "two");
    g_assert_nonnull(own);
    g_clear_pointer(&own, g_free);
    g_assert_null(xml_peek_child_text(root, "c", &own));
    g_assert_null(xml_peek_child_text(root, "d", &own));
    g_assert_cmpstr(xml_peek_text(xml_child(root, "c"), &own), ==, "");
    g_assert_null(own);
}

static void
test_numbers(void)
{
    static const struct {
        const char *text;
        gboolean ok;
        guint64 value;
    } cases[] = {
        { "0", TRUE, 0 },
        { "42", TRUE, 42 },
        { "+7", TRUE, 7 },
        { "007", TRUE, 7 },
        { "", FALSE, 0 },
        { "-1", FALSE, 0 },
        { " 1", FALSE, 0 },
        { "1 ", FALSE, 0 },
        { "0x10", FALSE, 0 },
        { "1e3", FALSE, 0 },
        { "++1", FALSE, 0 },
        { "18446744073709551615", TRUE, G_MAXUINT64 },
        { "18446744073709551616", FALSE, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint64 value = 99;

        g_assert_cmpint(xml_parse_uint64(cases[i].text, &value), ==, cases[i].ok);
        g_assert_cmpuint(value, ==, cases[i].ok ? cases[i].value : 99);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(xmlMemSetup(free, count_malloc, count_realloc, count_strdup), ==, 0);
    alarm(HANG_S);
    g_test_add_func("/xml-read/billion-laughs", test_billion_laughs);
    g_test_add_func("/xml-read/quadratic-blowup", test_quadratic_blowup);
    g_test_add_func("/xml-read/external", test_external);
    g_test_add_func("/xml-read/xinclude", test_xinclude);
    g_test_add_func("/xml-read/depth", test_depth);
    g_test_add_func("/xml-read/attributes", test_attributes);
    g_test_add_func("/xml-read/namespaces", test_namespaces);
    g_test_add_func("/xml-read/comments", test_comments);
    g_test_add_func("/xml-read/size", test_size);
    g_test_add_func("/xml-read/encodings", test_encodings);
    g_test_add_func("/xml-read/place", test_place);
    g_test_add_func("/xml-read/long-line", test_long_line);
    g_test_add_func("/xml-read/root", test_root);
    g_test_add_func("/xml-read/walk", test_walk);
    g_test_add_func("/xml-read/peek", test_peek);
    g_test_add_func("/xml-read/numbers", test_numbers);
    return g_test_run();
}
