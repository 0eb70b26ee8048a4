/* Replays the corpus of a fuzz target in an ordinary build: one TAP line a file. A program named
 * replay-NAME reads tests/fuzz/corpus/NAME; arguments other than --tap are files to read instead. Where
 * fuzzers were configured "--fuzz" and what follows are libFuzzer's arguments; see tests/fuzz/run. */
#include "tests/fuzz/replay.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
write_no_warning(const char *domain, GLogLevelFlags level, const char *message, gpointer unused)
{
    if (!(level & G_LOG_LEVEL_WARNING))
        g_log_default_handler(domain, level, message, unused);
}

void
replay_allow_warnings(void)
{
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_log_set_default_handler(write_no_warning, NULL);
}

/* One file for all inputs: making and freeing one for each takes longer than reading it. */
const char *
replay_file(const uint8_t *data, size_t size)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("input", MFD_CLOEXEC);
        g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (gssize)size);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    return path;
}

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
