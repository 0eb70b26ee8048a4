/* Fuzz target: the files from which a daemon finds a guest again. The first byte says which: a status, which has values
 * that make sense where it is accepted, or the last words of a VMM, which a guest may have taken over.
 */
#include "driver/guest.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(gboolean ok)
{
    if (!ok)
        abort();
}

static void
check_status(const char *text, size_t size)
{
    g_autoptr(GError) error = NULL;
    GuestStatus status;
    gboolean ok = guest_parse_status(text, size, &status, &error);

    must(ok == !error);
    if (ok)
        must(status.id > 0 && status.pid > 1 && status.start_time && status.state >= 0);
}

static void
check_record(const char *text)
{
    g_auto(GuestRecord) record = { 0 };

    if (guest_parse_record(text, &record))
        must(record.state && record.reason && g_utf8_validate(record.text, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = NULL;

    if (size == 0)
        return 0;
    text = g_strndup((const char *)data + 1, size - 1);
    if (data[0] == 's')
        check_status(text, size - 1);
    else
        check_record(text);
    return 0;
}
