/* launch-tell: what a domain is once its start has come to an end, and what its clients hear of that. */
#pragma once

#include "driver/domain-private.h"

void launch_tell_started(Domain *domain, gboolean paused);
/* To a snapshot. */
void launch_tell_reverted(Domain *domain, gboolean paused);
/* From an image; @asleep: where its guest had suspended itself. Whether it stays paused, whoever restores it will tell. */
void launch_tell_restored(Domain *domain, gboolean asleep);
/* What has become of its guest since: @news, of VmmMsg, which is empty then. */
void launch_tell_news(Domain *domain, GQueue *news);
