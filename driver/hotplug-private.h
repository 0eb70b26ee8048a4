/* hotplug-private: what attaching, changing and detaching a device have in common: one call of any of them, as the detail
 * of its verb. For hotplug and hotplug-*.
 */
#pragma once

#include "driver/hotplug.h"
#include "driver/image-wait.h"
#include "driver/verb.h"

#define CHANGE_AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

typedef struct Change Change;

/* Makes what is wanted of @def, a copy of the persistent definition, which is good then. */
typedef gboolean (*ChangeConfigure)(DomainDef *def, const Change *change, GError **error);

/* One call: what it means, and what becomes of it. */
struct Change {
    char *xml, *alias; /* what the caller gave: one of the two */
    guint affects;
    Device *wanted;
    ChangeConfigure configure; /* NULL: the persistent definition stays */
    DomainDef *live;           /* the live one to be; NULL: stays */
    char *subject;             /* the alias of the device in it that this is about */
    GPtrArray *requests;
    ImageWait *images; /* to be waited for first */
    const VmmLink *link;
    VmmLinkReply reply;
};

/* One of the two is NULL. */
Change *change_new(const char *xml, const char *alias);
void change_free(gpointer change);

/* What all begin with: FALSE with the verb finished, also where a guest that runs cannot be reached. @live_alias: the
 * document means a running guest's device, by any alias that it may have. */
gboolean change_begin(Verb *verb, gboolean live_alias);
/* Where the persistent definition is to be changed, by @configure, at the end: sees before that it can be. */
gboolean change_check_config(Verb *verb, ChangeConfigure configure, GError **error);
/* The last step: the live definition is the new one already, now the persistent one, as it is by then. */
void change_finish(Verb *verb);
/* Always FALSE: @what cannot be done with a device of the wanted kind. */
gboolean change_refuse_kind(const Change *change, const char *what, GError **error);

/* The device of @def that is called @alias; NULL: none. */
Device *change_find_alias(const DomainDef *def, const char *alias);
/* The one that the wanted one stands for; NULL with @error. */
Device *change_find(const DomainDef *def, const Change *change, gboolean config, GError **error);
/* Puts the device called @alias of @from in the place of @to's, or adds it; only it, because the guest may
 * have changed others meanwhile. */
void change_take_device(DomainDef *to, const DomainDef *from, const char *alias);

/* How a device is made ready for the guest that runs: what is asked of the VMM becomes one of the change's requests. */
DeviceLowering change_lowering(Verb *verb, const GPtrArray *devices);
/* Sends the only request, once the images in it may be used, and then lets @reply finish the verb; with an error where
 * nothing could be sent. */
void change_send(Verb *verb, VmmLinkReply reply);

/* A device changes in the guest that runs. */
void change_update_live(Verb *verb);
