/* fake-answer: how the fake VMM answers a request. */
#pragma once

#include "tests/bus/fake-guest.h"

/* One that is still to be filled in, and sent by fake_send(). */
VmmMsg *fake_reply_to(const VmmMsg *request);
/* @class is one of VMM_ERROR_*. */
void fake_refuse(Fake *fake, const VmmMsg *request, const char *class, const char *text);
/* Sends @reply, or where there is @trouble refuses; takes @reply over. */
void fake_answer(Fake *fake, const VmmMsg *request, VmmMsg *reply, const char *trouble);
