/* fake-iothreads: the I/O threads of the fake machine: threads with a VMM's names that do nothing. */
#pragma once

#include "tests/bus/fake-guest.h"

/* VMM_ADD_IOTHREAD, VMM_REMOVE_IOTHREAD and VMM_TELL_IOTHREAD. */
void fake_add_iothread(Fake *fake, VmmMsg *request);
void fake_remove_iothread(Fake *fake, VmmMsg *request);
void fake_tell_iothread(Fake *fake, VmmMsg *request);
