/* print-xml-policy: writes the manual's tables of what becomes of each part of a domain document, from the
 * tables that the driver goes by. */
#include "driver/xml-policy.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "devices/"

/* Paragraphs of a section, in order. */
typedef enum Paragraph {
    HONOURED,
    ACCEPTED,
    KEPT,
    REFUSED,
    N_PARAGRAPHS
} Paragraph;

static const char *const titles[N_PARAGRAPHS] = {
    [HONOURED] = "Honoured",
    [ACCEPTED] = "Accepted, as it changes nothing",
    [KEPT] = "Kept without effect",
    [REFUSED] = "Refused",
};

static const Paragraph paragraph_of[] = {
    [XML_HONOUR] = HONOURED, [XML_EACH] = HONOURED,   [XML_ACCEPT] = ACCEPTED,
    [XML_KEEP] = KEPT,       [XML_VERBATIM] = HONOURED, [XML_REJECT] = REFUSED,
};

/* A section: all below one element of the document, or below one of <devices>. */
typedef struct Section {
    char *path;
    GString *text[N_PARAGRAPHS];
} Section;

static void
section_free(gpointer data)
{
    Section *section = data;

    for (int i = 0; i < N_PARAGRAPHS; i++)
        g_string_free(section->text[i], TRUE);
    g_free(section->path);
    g_free(section);
}

static char *
section_of(const char *path)
{
    const char *from = g_str_has_prefix(path, DEVICES) ? path + strlen(DEVICES) : path;
    const char *end = *path == '{' ? NULL : strchr(from, '/');

    if (*path == '{' || *path == '@')
        return g_strdup("domain");
    return end ? g_strndup(path, end - path) : g_strdup(path);
}

static Section *
find_section(GPtrArray *sections, const char *path)
{
    Section *section;

    for (guint i = 0; i < sections->len; i++) {
        section = sections->pdata[i];
        if (strcmp(section->path, path) == 0)
            return section;
    }
    section = g_new0(Section, 1);
    section->path = g_strdup(path);
    for (int i = 0; i < N_PARAGRAPHS; i++)
        section->text[i] = g_string_new(NULL);
    g_ptr_array_add(sections, section);
    return section;
}

/* What the row is called in its section: the path below it, the element's own name for itself. */
static const char *
name_in(const Section *section, const char *path)
{
    gsize length = strlen(section->path);

    if (g_str_has_prefix(path, section->path) && path[length] == '/')
        return path + length + 1;
    return path;
}

static void
add(GString *to, const char *name, const char *words, const char *how, const char *reason)
{
    g_auto(GStrv) split = words ? g_strsplit(words, " ", -1) : NULL;
    g_autofree char *list = split ? g_strjoinv(", ", split) : NULL;

    if (to->len)
        g_string_append(to, ";\n");
    g_string_append_printf(to, "%s", name);
    if (list)
        g_string_append_printf(to, " (%s %s)", how, list);
    if (reason)
        g_string_append_printf(to, ": %s", reason);
}

static void
add_row(GPtrArray *sections, const XmlPolicy *row)
{
    g_autofree char *path = section_of(row->path);
    Section *section = find_section(sections, path);
    const char *name = name_in(section, row->path);
    Paragraph paragraph = paragraph_of[row->verdict];
    gboolean whole = row->verdict == XML_ACCEPT || row->verdict == XML_KEEP;

    add(section->text[paragraph], name, row->words, row->verdict == XML_ACCEPT ? "only" : "not",
        whole ? row->reason : NULL);
    if (row->kept)
        add(section->text[KEPT], name, row->kept, "where it is", row->reason);
}

/* With the escapes of roff. */
static void
put_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '-' || *text == '\\')
            putchar('\\');
        if (*text == '\'' || *text == '.')
            fputs("\\&", stdout);
        putchar(*text);
    }
}

static void
put_section(const Section *section)
{
    fputs(".SS ", stdout);
    put_text(section->path);
    putchar('\n');
    for (int i = 0; i < N_PARAGRAPHS; i++) {
        if (!section->text[i]->len)
            continue;
        fputs(".TP\n.I ", stdout);
        put_text(titles[i]);
        putchar('\n');
        put_text(section->text[i]->str);
        fputs(".\n", stdout);
    }
}

int
main(void)
{
    g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func(section_free);

    for (const XmlPolicy *const *table = xml_policy_tables; *table; table++) {
        for (const XmlPolicy *row = *table; row->path; row++)
            add_row(sections, row);
    }
    for (guint i = 0; i < sections->len; i++)
        put_section(sections->pdata[i]);
    return ferror(stdout) || fclose(stdout) != 0;
}
