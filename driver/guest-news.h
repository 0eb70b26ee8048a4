/* guest-news: what a guest's process tells of the guest's devices while it runs, kept in the live
 * definition and told to clients.
 */
#pragma once

#include "driver/domain-private.h"

/* An event that may be about a device; others are ignored. */
void guest_news(Domain *domain, VmmMsg *event);
/* The guest has just been started. */
void guest_news_started(Domain *domain);
/* Asks for what may have changed while no daemon listened. */
void guest_news_refresh(Domain *domain);
