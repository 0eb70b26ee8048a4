/* stats-reader: GetAllDomainStatsInColumns' answer, record by record.
 *
 * The fields of a record, its shape, are said once for all domains that have the same ones; what is read of a record are
 * its values. All is checked when the reader is made.
 */
#pragma once

#include <glib.h>

#define STATS_COLUMNS "(ayauaa(sg)atay)" /* the type of the answer */

typedef struct StatsReader StatsReader;

typedef struct StatsField {
    const char *key;
    char type; /* a D-Bus type: i x u t b d s */
} StatsField;

/* NULL: @answer, which has that type, makes no sense. */
StatsReader *stats_reader_new(GVariant *answer);
void stats_reader_free(StatsReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatsReader, stats_reader_free)

/* Goes to the next record, at the beginning to the first; FALSE: there is none. */
gboolean stats_reader_next(StatsReader *reader);
/* Of the record that it is at: the domain's name, the fields, and the value of the nth of these: 64 bits as they
 * came, a text, or a floating object. */
const char *stats_reader_name(const StatsReader *reader);
const StatsField *stats_reader_fields(const StatsReader *reader, gsize *ret_n);
guint64 stats_reader_bits(const StatsReader *reader, gsize n);
const char *stats_reader_text(const StatsReader *reader, gsize n); /* where the type is s */
GVariant *stats_reader_value(const StatsReader *reader, gsize n);
/* The record as an a{sv}, a new reference. */
GVariant *stats_reader_record(const StatsReader *reader);
