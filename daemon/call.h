/* call: one request to the daemon, whichever face it came in by.
 *
 * A method takes its arguments from the call, does its work with the driver, and answers exactly
 * once: with a reply or with a failure, at once or later. The face that made the call turns the
 * answer into its own wire format.
 */
#pragma once

#include "driver/driver.h"
#include "driver/snapshot.h"

#include <glib.h>

typedef struct Call Call;

/* What a call is about: always a driver, and a domain, perhaps one of its snapshots, or one of the host's objects, where
 * a member of that is meant. The latter two are there until the method returns. */
typedef struct ApiObject {
    Driver *driver;
    Domain *domain;
    const Snapshot *snapshot;
    HostObject *host;
} ApiObject;

/* One row of what the daemon can do; the signature stands in the introspection XML. */
typedef struct Method {
    const char *member;       /* its name on the bus */
    const char *libvirt_name; /* libvirt's function, for the text of what is not supported */
    const char *access;       /* "object.permission" as in libvirt's polkit actions */
    void (*run)(Call *call);  /* NULL: the driver cannot do it yet */
    guint special_flags;      /* of its flags, the last argument: those that take special_access instead */
    const char *special_access; /* to see secrets, or to ask the guest */
    const char *filter;       /* like access: what each domain that its answer tells of takes; NULL: it tells of none */
    /* The domain that its arguments name, borrowed, or NULL with an error; NULL: they name none. */
    Domain *(*subject)(const ApiObject *object, GVariant *args, GError **error);
    /* The domain that the document or the saved guest in its arguments is of; FALSE: they do not say. NULL: there is
     * none in them. */
    gboolean (*identify)(const ApiObject *object, GVariant *args, DomainIdentity *ret);
    void (*test)(Call *call); /* what the test driver does instead; NULL: the same */
} Method;

/* How a face answers. Either function ends the face's interest in @data; @result is never floating
 * and goes on belonging to the call. */
typedef struct CallFace {
    /* How the face calls a domain, a snapshot or an object of the host in a result (the bus: by object path);
     * floating. */
    GVariant *(*name)(gpointer data, Domain *domain);
    GVariant *(*snapshot_name)(gpointer data, Domain *domain, const Snapshot *snapshot);
    GVariant *(*host_name)(gpointer data, const HostObject *object);
    const GVariantType *name_type;
    /* The set of domains that an answer may tell of, borrowed; NULL: all. */
    GHashTable *(*visible)(gpointer data);
    /* Whose document or file it was that the caller was allowed to name, borrowed; NULL: nobody asked. */
    const DomainIdentity *(*checked)(gpointer data);
    /* The guest of the domain is to end when the caller is gone. */
    void (*bind)(gpointer data, Domain *domain);
    /* @fd, where not -1, is handed over: the handle 0 of @result. */
    void (*reply)(gpointer data, GVariant *result, int fd);
    void (*fail)(gpointer data, const GError *error);
} CallFace;

/* Runs @method on @object with the tuple @args; what it answers goes to @face, possibly after the
 * return. Holds @args and the domain as long as it needs them. */
void call_run(const Method *method, const ApiObject *object, GVariant *args, const CallFace *face,
              gpointer data);

/* For methods. */
const ApiObject *call_object(const Call *call);
const char *call_member(const Call *call);
const char *call_libvirt_name(const Call *call);
GVariant *call_args(const Call *call);
#define call_get(call, ...) g_variant_get(call_args(call), __VA_ARGS__)
/* Whether there are any of libvirt's typed parameters in @params; FALSE with the call failed, as libvirt does before any
 * driver sees it. */
gboolean call_check_params(Call *call, GVariant *params);
/* The domain that the arguments name, by the method's own rule. */
Domain *call_subject(const Call *call, GError **error);
/* Whose document or file it was when it was asked whether the caller may; NULL: that was not asked. */
const DomainIdentity *call_checked(const Call *call);
/* driver_list() of those that the answer may tell of. */
GPtrArray *call_list(const Call *call, guint flags, GError **error);
/* A domain's name in a result, floating, and an array of them. */
GVariant *call_name(const Call *call, Domain *domain);
GVariant *call_names(const Call *call, const GPtrArray *domains);
/* The same of snapshots of the domain that the call is about. */
GVariant *call_snapshot_name(const Call *call, const Snapshot *snapshot);
GVariant *call_snapshot_names(const Call *call, const GPtrArray *snapshots);
/* The same of objects of the host. */
GVariant *call_host_name(const Call *call, const HostObject *object);
GVariant *call_host_names(const Call *call, const GPtrArray *objects);

/* After a start, before its answer: where its flags, the last argument, have VIR_DOMAIN_START_AUTODESTROY, the guest of
 * @domain ends when the caller is gone. */
void call_bind(const Call *call, Domain *domain);

/* Answering. @result is a tuple, and a floating one is taken over. */
void call_reply(Call *call, GVariant *result);
void call_reply_nothing(Call *call);
void call_reply_fd(Call *call, int fd);
void call_fail(Call *call, GError *error); /* takes @error over */
/* The one text of the result, or where that is NULL the failure. */
void call_reply_text(Call *call, const char *text, GError *error);
/* Nothing or the error: a DomainDone whose data is the call. */
void call_done(gpointer call, const GError *error);
/* The one value of the result, nothing where that is NULL, or the error: a DomainReply whose data is the call. */
void call_answer(gpointer call, GVariant *result, const GError *error);
