/* surface: the domain that the tests of the bus' surface ask for. */
#pragma once

#include "tests/bus/fixture.h"

#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define PATH ROOT_PATH "/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809"

/* Defines it, anew where it is defined; no events of that are left. */
void surface_define(Fixture *fixture, const char *name);
