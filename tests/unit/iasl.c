#include "tests/unit/iasl.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

static char *
run_iasl(const char *directory, const char *option, const char *file)
{
    const char *argv[] = { "iasl", "-p", "out", option, file, NULL };
    g_autoptr(GError) error = NULL;
    g_autofree char *errors = NULL;
    char *output = NULL;
    int status;

    g_spawn_sync(directory, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors,
                 &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, NULL) || strstr(output, "Error ") ||
        strstr(errors, "Error") || strstr(errors, "Warning")) {
        g_test_message("iasl %s %s: %s%s", option, file, output, errors);
        g_test_fail();
    }
    return output;
}

static void
remove_all(const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(directory);
}

char *
iasl_round_trip(const void *table, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("vmctl-iasl-XXXXXX", &error);
    g_autofree char *path = NULL, *source = NULL, *disassembly = NULL, *compilation = NULL;
    char *asl = NULL;

    g_assert_no_error(error);
    path = g_build_filename(directory, "table.aml", NULL);
    source = g_build_filename(directory, "out.dsl", NULL);
    g_file_set_contents(path, table, size, &error);
    g_assert_no_error(error);
    disassembly = run_iasl(directory, "-d", "table.aml");
    g_file_get_contents(source, &asl, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(asl, "rror"));
    compilation = run_iasl(directory, "-oa", "out.dsl");
    g_assert_nonnull(strstr(compilation, " 0 Errors, 0 Warnings"));
    remove_all(directory);
    return asl;
}

/* As a DSDT. */
static GByteArray *
wrap(const Aml *aml)
{
    guint8 header[36] = "DSDT....\x02.VMCTL TEST    \x01\0\0\0TEST\x01\0\0";
    GByteArray *table = g_byte_array_new();
    const uint8_t *code;
    guint8 sum = 0;
    size_t size;
    guint32 length;

    code = aml_bytes(aml, &size);
    length = GUINT32_TO_LE(sizeof(header) + size);
    memcpy(header + 4, &length, sizeof(length));
    header[9] = 0;
    g_byte_array_append(table, header, sizeof(header));
    g_byte_array_append(table, code, size);
    for (guint i = 0; i < table->len; i++)
        sum += table->data[i];
    table->data[9] = -sum;
    return table;
}

char *
iasl_round_trip_code(const Aml *aml)
{
    g_autoptr(GByteArray) table = wrap(aml);

    return iasl_round_trip(table->data, table->len);
}

char *
iasl_execute(const Aml *aml, const char *commands)
{
    const char *argv[] = { "acpiexec", "-b", commands, "table.aml", NULL };
    g_autoptr(GByteArray) table = wrap(aml);
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("vmctl-iasl-XXXXXX", &error);
    g_autofree char *path = NULL;
    char *output = NULL;
    int status;

    g_assert_no_error(error);
    path = g_build_filename(directory, "table.aml", NULL);
    g_file_set_contents(path, (const char *)table->data, table->len, &error);
    g_assert_no_error(error);
    g_spawn_sync(directory, (char **)argv, NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, NULL));
    remove_all(directory);
    return output;
}

void
iasl_assert_has(const char *asl, const char *part)
{
    if (strstr(asl, part))
        return;
    g_test_message("no '%s' in:\n%s", part, asl);
    g_test_fail();
}
