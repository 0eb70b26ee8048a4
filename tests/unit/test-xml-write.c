/* Writing, so that what is read again is what was written. */
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#define ODD "<a> & \"b\" 'c'\t\n\r"

static void
assert_written(XmlWriter *out, const char *expected)
{
    g_autofree char *text = xml_writer_finish(out);

    g_assert_cmpstr(text, ==, expected);
}

static void
test_layout(void)
{
    XmlWriter *out = xml_writer_new();

    xml_open(out, "a");
    xml_open(out, "b");
    xml_put_attr(out, "name", "value");
    xml_close(out);
    xml_open(out, "c");
    xml_begin_content(out);
    xml_put_element(out, "d", "text");
    xml_put_element(out, "e", NULL);
    xml_put_raw(out, "<f/>");
    xml_close(out);
    xml_close(out);
    assert_written(out,
                   "<a>\n  <b name='value'/>\n  <c>\n    <d>text</d>\n    <f/>\n  </c>\n</a>\n");
}

static void
test_escapes(void)
{
    XmlWriter *out = xml_writer_new();

    xml_open(out, "a");
    xml_put_attr(out, "odd", ODD);
    xml_put_text(out, ODD);
    xml_close(out);
    assert_written(out, "<a odd='&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;&#9;&#10;&#13;'>"
                        "&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;\t\n&#13;</a>\n");
}

/* What XML cannot say is left out, and all of UTF-8 but that goes as it is. */
static void
test_bytes(void)
{
    XmlWriter *out = xml_writer_new();

    xml_put_element(out, "a", "\001one\037 zwei: \xc3\xbc\x7f\002 \xef\xbf\xbe\xef\xbf\xbd\xef\xbc\x81\xef\xbf\xbf");
    assert_written(out, "<a>one zwei: \xc3\xbc\x7f \xef\xbf\xbd\xef\xbc\x81</a>\n");
}

static void
test_read_again(void)
{
    XmlWriter *out = xml_writer_new();
    g_autofree char *text = NULL, *value = NULL, *content = NULL;
    g_autoptr(XmlDoc) doc = NULL;
    g_autoptr(GError) error = NULL;

    xml_open(out, "a");
    xml_put_attr(out, "odd", ODD);
    xml_put_text(out, ODD);
    xml_close(out);
    text = xml_writer_finish(out);
    doc = xml_doc_parse(text, "(test)", "a", &error);
    g_assert_no_error(error);
    value = xml_attr(xml_doc_root(doc), "odd");
    content = xml_text(xml_doc_root(doc));
    g_assert_cmpstr(value, ==, ODD);
    g_assert_cmpstr(content, ==, ODD);
}

static void
test_numbers(void)
{
    XmlWriter *out = xml_writer_new();

    xml_open(out, "a");
    xml_put_attr_uint(out, "most", G_MAXUINT64);
    xml_put_attr_uint(out, "least", 0);
    xml_put_attr_hex(out, "one", 1, 0);
    xml_put_attr_hex(out, "four", 4, 0xa);
    xml_put_attr_hex(out, "more", 2, 0xbcdef);
    xml_put_attr_hex(out, "all", 8, G_MAXUINT32);
    xml_close(out);
    assert_written(out, "<a most='18446744073709551615' least='0' one='0x0' four='0x000a' "
                        "more='0xbcdef' all='0xffffffff'/>\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-write/layout", test_layout);
    g_test_add_func("/xml-write/escapes", test_escapes);
    g_test_add_func("/xml-write/bytes", test_bytes);
    g_test_add_func("/xml-write/read-again", test_read_again);
    g_test_add_func("/xml-write/numbers", test_numbers);
    return g_test_run();
}
