/* aml: ACPI machine language, written term by term (ACPI 6.4 chapter 20).
 *
 * Packages (scopes, devices, methods, resource templates) are opened and closed in pairs; lengths are
 * patched on closing. A name is a path such as "\\_SB" or "COM1".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Aml Aml;

Aml *aml_new(void);
void aml_free(Aml *aml);
/* The bytes so far; every package is closed. */
const uint8_t *aml_bytes(const Aml *aml, size_t *ret_size);

void aml_open_scope(Aml *aml, const char *path);
void aml_open_device(Aml *aml, const char *name);
void aml_open_method(Aml *aml, const char *name, unsigned n_args);
void aml_open_resources(Aml *aml, const char *name); /* Name(name, ResourceTemplate() ... */
void aml_open_package(Aml *aml, const char *name, unsigned n_elements); /* Name(name, Package() ... */
void aml_close(Aml *aml);

void aml_name_integer(Aml *aml, const char *name, uint64_t value);
void aml_name_string(Aml *aml, const char *name, const char *value);
void aml_name_eisaid(Aml *aml, const char *name, const char *id); /* "PNP0501" */
void aml_integer(Aml *aml, uint64_t value); /* an element of a package */
void aml_return_integer(Aml *aml, uint64_t value);

void aml_resource_io(Aml *aml, uint16_t base, uint8_t length);
void aml_resource_irq(Aml *aml, unsigned irq);
