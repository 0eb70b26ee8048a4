/* Replays the corpus of a fuzz target in an ordinary build: one TAP line a file. A program named
 * replay-NAME reads tests/fuzz/corpus/NAME; arguments other than --tap are files to read instead. Where
 * fuzzers were configured "--fuzz" and what follows are libFuzzer's arguments; see tests/fuzz/run. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#define FUZZING "VMCTL_FUZZING" /* in the environment of the children that libFuzzer starts of us */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef VMCTL_FUZZERS
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));

/* libFuzzer takes no word that it does not know: ours is left out. */
static int
fuzz(int argc, char **argv)
{
    if (!g_getenv(FUZZING)) {
        argv[1] = argv[0];
        argv++;
        argc--;
        g_setenv(FUZZING, "1", TRUE);
    }
    return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
}
#else
static int
fuzz(int argc, char **argv)
{
    g_printerr("%s: configure with --enable-fuzzers\n", argv[0]);
    return 1;
}
#endif

static void
replay(gconstpointer path)
{
    g_autofree char *data = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
}

static void
add_corpus(const char *name)
{
    g_autofree char *dir_path =
        g_build_filename(g_getenv("VMCTL_TOP_SRCDIR"), "tests", "fuzz", "corpus", name, NULL);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    const char *file;

    g_assert_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *test = g_strdup_printf("/fuzz/%s/%s", name, file);

        g_test_add_data_func_full(test, g_build_filename(dir_path, file, NULL), replay, g_free);
    }
}

int
main(int argc, char **argv)
{
    const char *name = strstr(argv[0], "replay-");

    if (g_getenv(FUZZING) || (argc > 1 && strcmp(argv[1], "--fuzz") == 0))
        return fuzz(argc, argv);
    g_test_init(&argc, &argv, NULL);
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            replay(argv[i]);
        return 0;
    }
    add_corpus(name + strlen("replay-"));
    return g_test_run();
}
