#include "daemon/api-tuning.h"

#include "driver/block-iotune.h"
#include "driver/interface-tune.h"
#include "driver/iothreads.h"
#include "driver/numa-parameters.h"
#include "driver/pinning.h"
#include "driver/tuning.h"

/* A getter of the driver that takes flags. */
static void
answer(Call *call, GVariant *(*get)(const Domain *domain, guint flags, GError **error))
{
    GError *error = NULL;
    GVariant *result;
    guint flags;

    call_get(call, "(u)", &flags);
    result = get(call_object(call)->domain, flags, &error);
    call_answer(call, result, error);
    g_clear_error(&error);
}

static void
get_tuning(Call *call, const Tuning *tuning)
{
    GError *error = NULL;
    GVariant *result;
    guint flags;

    call_get(call, "(u)", &flags);
    result = domain_tuning_get(call_object(call)->domain, tuning, flags, &error);
    call_answer(call, result, error);
    g_clear_error(&error);
}

static void
set_tuning(Call *call, const Tuning *tuning)
{
    g_autoptr(GVariant) params = NULL;
    guint flags;

    call_get(call, "(@a{sv}u)", &params, &flags);
    if (call_check_params(call, params))
        domain_tuning_set(call_object(call)->domain, tuning, params, flags, call_done, call);
}

void
api_get_scheduler(Call *call)
{
    get_tuning(call, domain_scheduler(call_object(call)->domain));
}

void
api_set_scheduler(Call *call)
{
    set_tuning(call, domain_scheduler(call_object(call)->domain));
}

void
api_get_memory_parameters(Call *call)
{
    get_tuning(call, &tuning_memory);
}

void
api_set_memory_parameters(Call *call)
{
    set_tuning(call, &tuning_memory);
}

void
api_get_blkio(Call *call)
{
    get_tuning(call, &tuning_blkio);
}

void
api_set_blkio(Call *call)
{
    set_tuning(call, &tuning_blkio);
}

/* The same of one device. */
static void
answer_of(Call *call, GVariant *(*get)(const Domain *domain, const char *device, guint flags,
                                       GError **error))
{
    GError *error = NULL;
    GVariant *result;
    const char *device;
    guint flags;

    call_get(call, "(&su)", &device, &flags);
    result = get(call_object(call)->domain, device, flags, &error);
    call_answer(call, result, error);
    g_clear_error(&error);
}

static void
set_of(Call *call, void (*set)(Domain *domain, const char *device, GVariant *params, guint flags,
                               DomainDone done, gpointer data))
{
    g_autoptr(GVariant) params = NULL;
    const char *device;
    guint flags;

    call_get(call, "(&s@a{sv}u)", &device, &params, &flags);
    if (call_check_params(call, params))
        set(call_object(call)->domain, device, params, flags, call_done, call);
}

void
api_get_iotune(Call *call)
{
    answer_of(call, domain_block_iotune);
}

void
api_set_iotune(Call *call)
{
    set_of(call, domain_set_block_iotune);
}

void
api_get_interface_parameters(Call *call)
{
    answer_of(call, domain_interface_parameters);
}

void
api_set_interface_parameters(Call *call)
{
    set_of(call, domain_set_interface_parameters);
}

void
api_get_numa(Call *call)
{
    answer(call, domain_numa_parameters);
}

void
api_set_numa(Call *call)
{
    g_autoptr(GVariant) params = NULL;
    guint flags;

    call_get(call, "(@a{sv}u)", &params, &flags);
    if (call_check_params(call, params))
        domain_set_numa_parameters(call_object(call)->domain, params, flags, call_done, call);
}

void
api_pin_vcpu(Call *call)
{
    g_autoptr(GVariant) map = NULL;
    guint vcpu, flags;

    call_get(call, "(u@abu)", &vcpu, &map, &flags);
    domain_pin_vcpu(call_object(call)->domain, vcpu, map, flags, call_done, call);
}

void
api_pin_emulator(Call *call)
{
    g_autoptr(GVariant) map = NULL;
    guint flags;

    call_get(call, "(@abu)", &map, &flags);
    domain_pin_emulator(call_object(call)->domain, map, flags, call_done, call);
}

void
api_pin_iothread(Call *call)
{
    g_autoptr(GVariant) map = NULL;
    guint id, flags;

    call_get(call, "(u@abu)", &id, &map, &flags);
    domain_pin_iothread(call_object(call)->domain, id, map, flags, call_done, call);
}

void
api_add_iothread(Call *call)
{
    guint id, flags;

    call_get(call, "(uu)", &id, &flags);
    domain_add_iothread(call_object(call)->domain, id, flags, call_done, call);
}

void
api_del_iothread(Call *call)
{
    guint id, flags;

    call_get(call, "(uu)", &id, &flags);
    domain_del_iothread(call_object(call)->domain, id, flags, call_done, call);
}

void
api_set_iothread(Call *call)
{
    g_autoptr(GVariant) params = NULL;
    guint id, flags;

    call_get(call, "(u@a{sv}u)", &id, &params, &flags);
    domain_set_iothread(call_object(call)->domain, id, params, flags, call_done, call);
}

void
api_get_vcpu_pins(Call *call)
{
    answer(call, domain_vcpu_pins);
}

void
api_get_emulator_pin(Call *call)
{
    answer(call, domain_emulator_pin);
}

void
api_get_iothreads(Call *call)
{
    answer(call, domain_iothreads);
}

void
api_get_vcpu_info(Call *call)
{
    GError *error = NULL;
    GVariant *result = domain_vcpu_info(call_object(call)->domain, &error);

    call_answer(call, result, error);
    g_clear_error(&error);
}

void
api_get_cpu_stats(Call *call)
{
    answer(call, domain_cpu_stats);
}

GVariant *
api_get_scheduler_type(const ApiObject *object, GError **error)
{
    int n = domain_scheduler_parameter_count(object->domain);

    return g_variant_new("(si)", domain_scheduler_type(object->domain), n);
}
