/* api-tuning: the members of org.libvirt.Domain about CPUs and limits. */
#pragma once

#include "daemon/api.h"

void api_get_scheduler(Call *call);
void api_set_scheduler(Call *call);
void api_get_memory_parameters(Call *call);
void api_set_memory_parameters(Call *call);
void api_get_blkio(Call *call);
void api_set_blkio(Call *call);
void api_get_iotune(Call *call);
void api_set_iotune(Call *call);
void api_get_interface_parameters(Call *call);
void api_set_interface_parameters(Call *call);
void api_get_numa(Call *call);
void api_set_numa(Call *call);
void api_pin_vcpu(Call *call);
void api_pin_emulator(Call *call);
void api_pin_iothread(Call *call);
void api_add_iothread(Call *call);
void api_del_iothread(Call *call);
void api_get_vcpu_pins(Call *call);
void api_get_emulator_pin(Call *call);
void api_get_iothreads(Call *call);
/* Of org.vmctl.Domain. */
void api_get_vcpu_info(Call *call);
void api_get_cpu_stats(Call *call);
void api_set_iothread(Call *call);

GVariant *api_get_scheduler_type(const ApiObject *object, GError **error);
