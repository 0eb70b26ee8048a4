/* api-document: which domain a call's first argument is of, for rules of access. */
#pragma once

#include "daemon/call.h"

/* It is a domain's document; it is the path of a save image. */
gboolean api_document_identify(const ApiObject *object, GVariant *args, DomainIdentity *ret);
gboolean api_document_identify_image(const ApiObject *object, GVariant *args, DomainIdentity *ret);
