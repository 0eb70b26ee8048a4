/* journal: what happens to domains, as entries of the journal with fields of their own: DOMAIN_NAME, DOMAIN_UUID, and
 * MESSAGE_ID by kind. "journalctl -u vmctl-guest@NAME" shows them, too. Without a journal
 * there are none, nor of the test driver's domains. */
#pragma once

#include "driver/domain.h"

/* virDomainEventType */
void journal_lifecycle(const Domain *domain, int event);
