/* domain-firmware: the firmware of one domain: which image it is, and the file of its variables. */
#pragma once

#include "driver/domain-def.h"
#include "driver/env.h"

struct VmmMsg;

/* Writes into @def what it leaves to the driver: the image where firmware is to be chosen, and where its
 * variables are kept and what they begin as. Again and again without harm. */
gboolean domain_firmware_fill(DomainDef *def, const DriverEnv *env, GError **error);

/* Calls @def @name from now on. Variables whose file goes by the name are then in that of the new name; the old one is
 * there, too, for the caller to drop whichever is of no use: @go is removed where it is the same file as @stay. */
gboolean domain_firmware_rename(DomainDef *def, const char *name, const DriverEnv *env, GError **error);
void domain_firmware_drop_link(const char *go, const char *stay);

/* Opens the images of a filled definition for a "create"; makes the variables where there are none yet, or
 * anew where that is wanted, and locks them as image-lock does. */
gboolean domain_firmware_put(struct VmmMsg *create, const DomainDef *def, const DriverEnv *env,
                             gboolean reset_nvram, GError **error);
/* After that, of @create: the path of the ROM with which its BIOS boots from network cards; NULL where it is not to, or
 * cannot, which is an error for a guest that @boots and has nothing else to boot from. */
gboolean domain_firmware_network_rom(struct VmmMsg *create, const DomainDef *def, gboolean boots, const char **ret,
                                     GError **error);

/* Whether a definition may go: one that has a file of variables only with one of libvirt's flags for it. And removes that
 * file, if there is one. @def: NULL where it is known to have none. */
gboolean domain_firmware_may_undefine(const DomainDef *def, guint flags, GError **error);
gboolean domain_firmware_remove_variables(const DomainDef *def, GError **error);
