#include "tests/bus/fake-save.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-answer.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
end_job(Fake *fake, const char *job, const char *outcome, const char *text, uint64_t bytes)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_JOB_ENDED);

    vmm_msg_put_string(msg, "job", job);
    vmm_msg_put_string(msg, "outcome", outcome);
    if (text)
        vmm_msg_put_string(msg, "text", text);
    vmm_msg_put_u64(msg, "bytes", bytes);
    vmm_msg_put_string(msg, "state", fake->state);
    fake_send(fake, msg);
}

static void
write_state(Fake *fake, int fd)
{
    char state[sizeof(fake->cmdline) + 1] = ""; /* of one that sleeps there is a byte more */
    size_t size = strlen(fake->cmdline) + 1 + (strcmp(fake->state, VMM_STATE_SUSPENDED) == 0);

    memcpy(state, fake->cmdline, sizeof(fake->cmdline));
    if (fake_behaves(fake, "save-fails") || write(fd, state, size) != (ssize_t)size)
        end_job(fake, VMM_SAVE, VMM_OUTCOME_FAILED, "No space left on device, as told", 0);
    else
        end_job(fake, VMM_SAVE, VMM_OUTCOME_COMPLETED, NULL, size);
    close(fd);
}

void
fake_save(Fake *fake, VmmMsg *request)
{
    int fd;

    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0 || fake->saving >= 0 ||
        !vmm_msg_take_fd(request, "fd", &fd)) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "there is no guest that could be saved");
        return;
    }
    fake_send(fake, fake_reply_to(request));
    if (fake_behaves(fake, "save-dies"))
        _exit(1);
    if (fake_behaves(fake, "save-hangs"))
        fake->saving = fd;
    else
        write_state(fake, fd);
}

void
fake_restore(Fake *fake, VmmMsg *request)
{
    char state[sizeof(fake->cmdline)] = "";
    ssize_t size;
    bool good;
    int fd;

    if (strcmp(fake->state, VMM_STATE_CREATED) != 0 || !vmm_msg_take_fd(request, "fd", &fd)) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "there is no machine that could be restored");
        return;
    }
    if (fake_behaves(fake, "restore-waits"))
        raise(SIGSTOP);
    fake_send(fake, fake_reply_to(request));
    if (fake_behaves(fake, "restore-hangs-up")) {
        close(fd);
        fake_hang_up(fake);
        return;
    }
    size = read(fd, state, sizeof(state) - 1);
    good = size > 0 && strcmp(state, fake->cmdline) == 0 &&
           !fake_behaves(fake, "restore-fails");
    close(fd);
    if (good)
        fake->state = size > (ssize_t)strlen(state) + 1 ? VMM_STATE_SUSPENDED : VMM_STATE_PAUSED;
    end_job(fake, VMM_RESTORE, good ? VMM_OUTCOME_COMPLETED : VMM_OUTCOME_FAILED,
            good ? NULL : "the fake state is another guest's", strlen(state));
}

void
fake_cancel_job(Fake *fake, VmmMsg *request)
{
    fake_send(fake, fake_reply_to(request));
    if (fake->saving < 0)
        return;
    close(fake->saving);
    fake->saving = -1;
    end_job(fake, VMM_SAVE, VMM_OUTCOME_CANCELLED, "The job was cancelled", 0);
}
