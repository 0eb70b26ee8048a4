/* launch-machine: a start's first step: what the guest's process is to be told of its machine and devices, with
 * everything of the host that they need opened. */
#pragma once

#include "driver/domain-private.h"
#include "driver/image-wait.h"

typedef struct LaunchMachine {
    Domain *domain;
    DomainDef *live; /* what is to run; filled in */
    Guest *guest;
    gboolean reset_nvram;
    gboolean boots; /* it starts from nothing: it does not go on from a file, or from a snapshot's disks */
    ImageWait *images;   /* what is to be waited for before they are sent */
    GPtrArray *requests; /* of VmmMsg, with what is opened; they are to be sent in this order */
} LaunchMachine;

/* Adds the requests. What becomes of a disk that is missing, and may be, is told then. What was opened for devices is
 * released by device_list_release(), after FALSE as well. */
gboolean launch_machine_describe(const LaunchMachine *machine, GError **error);

/* VMM_ACTION_* */
const char *launch_machine_action(DomainAction action);
