#include "tests/bus/fake-answer.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

VmmMsg *
fake_reply_to(const VmmMsg *request)
{
    return vmm_msg_new(VMM_MSG_REPLY, vmm_msg_serial(request), vmm_msg_name(request));
}

void
fake_refuse(Fake *fake, const VmmMsg *request, const char *class, const char *text)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_ERROR, vmm_msg_serial(request), vmm_msg_name(request));

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "text", text);
    fake_send(fake, msg);
}

void
fake_answer(Fake *fake, const VmmMsg *request, VmmMsg *reply, const char *trouble)
{
    if (!trouble) {
        fake_send(fake, reply);
        return;
    }
    vmm_msg_free(reply);
    fake_refuse(fake, request, VMM_ERROR_INVALID, trouble);
}
