/* domain-names: words for the numbers of libvirt: states, reasons, events. All translated; an unknown
 * number has a word too. */
#pragma once

const char *domain_state_name(int state);
const char *domain_reason_name(int state, int reason);
const char *domain_event_name(int event);
const char *domain_event_detail_name(int event, int detail);
