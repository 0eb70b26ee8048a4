/* aml-private: what aml-resources needs of aml. */
#pragma once

#include "qemu-kvm-backend/x86/aml.h"

/* Puts bytes of a descriptor into the resource template that is open. */
void aml_put_descriptor(Aml *aml, const void *data, size_t size);
