/* stats-columns: records of statistics in columns.
 *
 * What fields a record has is its shape, which thousands of domains have in common. The answer has each shape once, the
 * number of each record's, and the values of all records one behind the other.
 */
#pragma once

#include <glib.h>

typedef struct StatsColumns StatsColumns;

StatsColumns *stats_columns_new(void);
/* @record: a{sv}, floating or not; its values are of a basic type. */
void stats_columns_add(StatsColumns *columns, const char *name, GVariant *record);
/* Takes @columns over. A floating (ayauaa(sg)atay), as org.vmctl.Connect has it. */
GVariant *stats_columns_end(StatsColumns *columns);
void stats_columns_free(StatsColumns *columns);
