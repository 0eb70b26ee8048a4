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
/* One that makes names while it runs: nobody else runs it meanwhile. */
void aml_open_serial_method(Aml *aml, const char *name, unsigned n_args);
void aml_open_resources(Aml *aml, const char *name); /* Name(name, ResourceTemplate() ... */
void aml_open_package(Aml *aml, const char *name,
                      unsigned n_elements);           /* Name(name, Package() ... */
void aml_open_element(Aml *aml, unsigned n_elements); /* a Package() as an element of another */
void aml_open_if(Aml *aml);                           /* the predicate's terms come first */
void aml_open_else(Aml *aml);
void aml_close(Aml *aml);

void aml_name_integer(Aml *aml, const char *name, uint64_t value);
void aml_name_string(Aml *aml, const char *name, const char *value);
void aml_name_eisaid(Aml *aml, const char *name, const char *id); /* "PNP0501" */
void aml_integer(Aml *aml, uint64_t value);                       /* an element of a package */
void aml_path(Aml *aml, const char *path);                        /* likewise: what has that name */
void aml_return_integer(Aml *aml, uint64_t value);

void aml_resource_io(Aml *aml, uint16_t base, uint8_t length);
void aml_resource_irq(Aml *aml, unsigned irq);
/* One of the @n interrupts at @irqs, as PCI has them: a level, active low, shared. */
void aml_resource_pci_irq(Aml *aml, const uint32_t *irqs, unsigned n);
void aml_resource_memory32(Aml *aml, uint32_t base, uint32_t length);
/* What a bridge passes on: from @first to @last. */
void aml_resource_buses(Aml *aml, uint8_t first, uint8_t last);
void aml_resource_io_window(Aml *aml, uint16_t first, uint16_t last);
void aml_resource_memory32_window(Aml *aml, uint32_t first, uint32_t last);
void aml_resource_memory64_window(Aml *aml, uint64_t first, uint64_t last); /* prefetchable */

/* Terms of a method, in the order of ACPI 6.4 section 20.2.5: an operator, then its operands, which are terms
 * themselves. */
typedef enum AmlOperator {
    AML_STORE = 0x70,  /* source, target */
    AML_AND = 0x7b,    /* operand, operand, target */
    AML_OR = 0x7d,     /* operand, operand, target */
    AML_LNOT = 0x92,   /* operand */
    AML_LEQUAL = 0x93, /* operand, operand */
    AML_RETURN = 0xa4, /* operand */
} AmlOperator;

void aml_operator(Aml *aml, AmlOperator op);
void aml_reference(Aml *aml, const char *path);
void aml_arg(Aml *aml, unsigned i);
void aml_constant(Aml *aml, uint64_t value);
void aml_uuid(Aml *aml, const char *uuid); /* "33DB4D5B-1FF7-401C-9657-7441C03DD766" */
/* OperationRegion(region, SystemIO, @port, 1) with the byte @name as its one field. */
void aml_port_field(Aml *aml, const char *region, uint16_t port, const char *name);
/* OperationRegion(region, PCI_Config, @offset, @size), of the device around it, whose bytes are the fields that follow, until
 * aml_close(): one named @name, or @n without names. */
void aml_open_config_field(Aml *aml, const char *region, unsigned offset, unsigned size);
void aml_field_byte(Aml *aml, const char *name);
void aml_field_gap(Aml *aml, unsigned n);
/* CreateDWordField(Arg@i, @offset, name), and the same of the buffer named @buffer. */
void aml_dword_field(Aml *aml, unsigned i, unsigned offset, const char *name);
void aml_dword_field_of(Aml *aml, const char *buffer, unsigned offset, const char *name);
