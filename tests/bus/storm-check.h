/* storm-check: whether everything is as the clients of a storm know it.
 */
#pragma once

#include "tests/bus/storm.h"

/* Guests whose start was acknowledged, and that nobody was about to end, obey at once. */
void storm_check_control(Fixture *fixture, Storm *storm);
/* Waits until guests that were being started or ended when a daemon died are over. */
void storm_check_wait(Fixture *fixture);
/* Each domain is as acknowledged, or as a change under way may have made it, and no other one is there; every guest that is
 * there obeys, and is the process that it was. What is found is what is known from here on. */
void storm_check_slots(Fixture *fixture, Storm *storm);
/* Nothing is left over: each file below the fixture's directories, each process, and, where this process is in a network of
 * its own and in @cgroup, if that is not NULL, each interface and each cgroup belong to a domain. */
void storm_check_litter(Fixture *fixture, Storm *storm, gboolean taps, const char *cgroup);
/* Of the guest of a domain that runs. */
int storm_check_pid(Fixture *fixture, const StormSlot *slot);
