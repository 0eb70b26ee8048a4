#include "qemu-kvm-backend/machine-job.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state-job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct MachineJob {
    const char *name;
    Hardware *hw;
    StateJob *stream;
    MachineJobOwner owner;
};

static VmmMsg *
ended_event(const MachineJob *job, const char *outcome, const char *text)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_JOB_ENDED);
    uint64_t bytes = state_job_progress(job->stream).transferred;

    vmm_msg_put_string(event, "job", job->name);
    vmm_msg_put_string(event, "outcome", outcome);
    vmm_msg_put_u64(event, "bytes", bytes);
    if (text)
        vmm_msg_put_string(event, "text", text);
    log_line("Job %s %s: %" PRIu64 " bytes%s%s", job->name, outcome, bytes, text ? ": " : "",
             text ? text : "");
    return event;
}

static const StateSection *
section_at(void *data, size_t i)
{
    return state_job_section(data, i);
}

static void
on_ended(void *data)
{
    MachineJob *job = data;
    bool good, cancelled;
    VmmError err;

    good = state_job_result(job->stream, &cancelled, &err);
    if (good && strcmp(job->name, VMM_RESTORE) == 0)
        good = hardware_restore(job->hw, section_at, job->stream, &err);
    job->owner.ended(job->owner.data, good,
                     ended_event(job,
                                 good        ? VMM_OUTCOME_COMPLETED
                                 : cancelled ? VMM_OUTCOME_CANCELLED
                                             : VMM_OUTCOME_FAILED,
                                 good ? NULL : err.text));
}

static bool
flush(void *data, size_t i, VmmError *err)
{
    return hardware_flush(((MachineJob *)data)->hw, i, err);
}

static bool
check(void *data, const StateSection *first, VmmError *err)
{
    return hardware_check_restore(((MachineJob *)data)->hw, first, err);
}

static MachineJob *
job_new(const char *name, Hardware *hw, const MachineJobOwner *owner)
{
    MachineJob *job = vmm_must(calloc(1, sizeof(*job)));

    job->name = name;
    job->hw = hw;
    job->owner = *owner;
    return job;
}

static MachineJob *
started(MachineJob *job)
{
    if (job->stream)
        return job;
    free(job);
    return NULL;
}

MachineJob *
machine_job_save(Loop *loop, Hardware *hw, int fd, const MachineJobOwner *owner, VmmError *err)
{
    StateOut *before = state_out_new(), *after = state_out_new();
    StateJobOwner stream = {
        .n_outside = hardware_n_devices(hw),
        .flush = flush,
        .ended = on_ended,
    };
    MachineJob *job;

    if (!hardware_save(hw, before, after, err)) {
        state_out_free(before);
        state_out_free(after);
        close(fd);
        return NULL;
    }
    stream.data = job = job_new(VMM_SAVE, hw, owner);
    job->stream = state_job_save(loop, fd, hardware_memory(hw), before, after, &stream, err);
    return started(job);
}

MachineJob *
machine_job_restore(Loop *loop, Hardware *hw, int fd, const MachineJobOwner *owner, VmmError *err)
{
    StateJobOwner stream = { .check = check, .ended = on_ended };
    MachineJob *job;

    if (!hardware_prepare_restore(hw, err)) {
        close(fd);
        return NULL;
    }
    stream.data = job = job_new(VMM_RESTORE, hw, owner);
    job->stream = state_job_restore(loop, fd, hardware_memory(hw), &stream, err);
    return started(job);
}

void
machine_job_free(MachineJob *job)
{
    if (!job)
        return;
    state_job_free(job->stream);
    free(job);
}

void
machine_job_cancel(MachineJob *job)
{
    state_job_cancel(job->stream);
}

const char *
machine_job_name(const MachineJob *job)
{
    return job->name;
}

void
machine_job_stats(const MachineJob *job, VmmMsg *reply)
{
    StateProgress progress = state_job_progress(job->stream);

    vmm_msg_put_string(reply, "job", job->name);
    vmm_msg_put_u64(reply, "job-done", progress.done);
    vmm_msg_put_u64(reply, "job-total", progress.total);
    vmm_msg_put_u64(reply, "job-bytes", progress.transferred);
}
