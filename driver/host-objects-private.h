/* host-objects-private: between the files that make up host-objects.h. */
#pragma once

#include "driver/host-objects.h"

struct HostObjects {
    gboolean simulated;
    GPtrArray *all;
    GPtrArray *before; /* the interfaces when a change of them began; NULL: none has */
    const DriverEvents *events;
};

void host_object_free(gpointer object);
/* NULL: none has this @value. */
HostObject *host_objects_look(HostObjects *objects, HostKind kind, HostKey by, const char *value);
/* @object is what @facts say from now on, whose texts become its own. */
void host_object_take_facts(HostObject *object, const HostFacts *facts);
void host_object_tell(HostObjects *objects, HostObject *object, int event);
