#include "tests/bus/fake-clock.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-answer.h"

#define SET_S 20

void
fake_clock_create(Fake *fake, VmmMsg *create)
{
    vmm_msg_get_i64(create, "rtc-offset", &fake->clock_first);
    fake->clock_ahead = fake->clock_first;
}

static void
put_offset(const Fake *fake, VmmMsg *msg)
{
    vmm_msg_put_i64(msg, "offset", fake->clock_ahead);
    vmm_msg_put_i64(msg, "change", fake->clock_ahead - fake->clock_first);
}

void
fake_clock_boot(Fake *fake)
{
    bool tells = fake_behaves(fake, "clock");
    VmmMsg *event;

    if (tells || fake_behaves(fake, "clock-quiet"))
        fake->clock_ahead += SET_S;
    if (!tells)
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_RTC_CHANGE);
    put_offset(fake, event);
    fake_send(fake, event);
}

void
fake_clock_tell(Fake *fake, VmmMsg *request)
{
    VmmMsg *reply = fake_reply_to(request);

    put_offset(fake, reply);
    fake_send(fake, reply);
}
