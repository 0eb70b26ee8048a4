/* Changes of the host's interfaces that are made as one, or not at all. */
#include "driver/host-objects-private.h"

#include "driver/error.h"
#include "driver/xml-host.h"

static HostObject *
copy(const HostObject *object)
{
    HostObject *copied = g_new(HostObject, 1);
    HostFacts facts;

    *copied = *object;
    if (!object->own)
        return copied;
    facts = host_facts_copy(object->own);
    copied->own = NULL;
    host_object_take_facts(copied, &facts);
    return copied;
}

gboolean
host_interfaces_begin(HostObjects *objects, GError **error)
{
    if (objects->before)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "there is another transaction running.");
    objects->before = g_ptr_array_new_with_free_func(host_object_free);
    for (guint i = 0; i < objects->all->len; i++) {
        const HostObject *object = objects->all->pdata[i];

        if (object->facts->kind == HOST_INTERFACE)
            g_ptr_array_add(objects->before, copy(object));
    }
    return TRUE;
}

gboolean
host_interfaces_commit(HostObjects *objects, GError **error)
{
    if (!objects->before)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "no transaction running, nothing to be committed.");
    g_clear_pointer(&objects->before, g_ptr_array_unref);
    return TRUE;
}

static void
remove_all(HostObjects *objects)
{
    for (guint i = objects->all->len; i-- > 0;) {
        const HostObject *object = objects->all->pdata[i];

        if (object->facts->kind == HOST_INTERFACE)
            g_ptr_array_remove_index(objects->all, i);
    }
}

gboolean
host_interfaces_roll_back(HostObjects *objects, GError **error)
{
    if (!objects->before)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "no transaction running, nothing to rollback.");
    remove_all(objects);
    g_ptr_array_extend_and_steal(objects->all, g_steal_pointer(&objects->before));
    return TRUE;
}
