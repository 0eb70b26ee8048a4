/* Fuzz target: vmctld.conf, of whoever administers the host. What is taken over is written as it was read; what is not
 * leaves everything as it was. */
#include "daemon/config.h"
#include "tests/fuzz/replay.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_written(const Config *config)
{
    g_autofree char *first = config_text(config), *second = NULL;
    Config again;

    config_init(&again, FALSE);
    g_assert_true(config_load(&again, replay_file((const uint8_t *)first, strlen(first)), NULL));
    second = config_text(&again);
    g_assert_cmpstr(first, ==, second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    Config config, before;

    replay_allow_warnings();
    config_init(&config, TRUE);
    before = config;
    if (config_load(&config, replay_file(data, size), &error)) {
        g_assert_no_error(error);
        check_written(&config);
    } else {
        g_assert_nonnull(error);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_cmpmem(&config, sizeof(config), &before, sizeof(before));
    }
    return 0;
}
