/* Fuzz target: a snapshot's document from anybody: the first byte says whether it is told of again. What is accepted
 * comes back the same. */
#include "driver/snapshot-xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(gboolean ok)
{
    if (!ok)
        abort();
}

/* What a new one is given is what one that there is has to say. */
static void
complete(SnapshotDef *def)
{
    if (def->state == SNAPSHOT_NOSTATE)
        def->state = def->memory == SNAPSHOT_NO ? SNAPSHOT_SHUTOFF : SNAPSHOT_RUNNING;
    if (def->memory == SNAPSHOT_UNSAID)
        def->memory = SNAPSHOT_INTERNAL;
    if (def->created == 0)
        def->created = 1;
}

static void
check_round_trip(SnapshotDef *def)
{
    g_autofree char *first = NULL, *second = NULL;
    g_autoptr(SnapshotDef) again = NULL;

    complete(def);
    if (!snapshot_xml_check_written(def, NULL))
        return;
    first = snapshot_xml_format(def, 0);
    again = snapshot_xml_parse(first, TRUE, NULL);
    must(again != NULL);
    second = snapshot_xml_format(again, 0);
    must(strcmp(first, second) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = size > 0 ? g_strndup((const char *)data + 1, size - 1) : g_strdup("");
    g_autoptr(GError) error = NULL;
    g_autoptr(SnapshotDef) def = snapshot_xml_parse(xml, size > 0 && data[0] == '1', &error);

    must(!def == !!error);
    if (error)
        must(error->code > 0 && *error->message && g_utf8_validate(error->message, -1, NULL));
    if (def)
        check_round_trip(def);
    return 0;
}
