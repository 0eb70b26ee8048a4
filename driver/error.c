#include "driver/error.h"

/* One row for each number in use: the text alone, and what stands before a detail. Rows are
 * libvirt's (virErrorMsg()); test-driver-error compares every row with the installed libvirt. */
typedef struct Prefix {
    virErrorNumber code;
    const char *bare;
    const char *before; /* the detail follows; "" where the detail is the whole text */
} Prefix;

static const Prefix prefixes[] = {
    { VIR_ERR_INTERNAL_ERROR, "internal error", "internal error: " },
    { VIR_ERR_NO_MEMORY, "out of memory", "out of memory: " },
    { VIR_ERR_NO_SUPPORT, "this function is not supported by the connection driver",
      "this function is not supported by the connection driver: " },
    { VIR_ERR_NO_CONNECT, "no connection driver available", "no connection driver available for " },
    { VIR_ERR_INVALID_CONN, "invalid connection pointer in", "invalid connection pointer in " },
    { VIR_ERR_INVALID_DOMAIN, "invalid domain pointer in", "invalid domain pointer in " },
    { VIR_ERR_INVALID_ARG, "invalid argument", "invalid argument: " },
    { VIR_ERR_OPERATION_FAILED, "operation failed", "operation failed: " },
    { VIR_ERR_OS_TYPE, "unknown OS type", "unknown OS type " },
    { VIR_ERR_NO_KERNEL, "missing kernel information", "missing kernel information: " },
    { VIR_ERR_NO_SOURCE, "missing source information for device",
      "missing source information for device " },
    { VIR_ERR_NO_TARGET, "missing target information for device",
      "missing target information for device " },
    { VIR_ERR_NO_NAME, "missing name information", "missing name information in " },
    { VIR_ERR_NO_OS, "missing operating system information",
      "missing operating system information for " },
    { VIR_ERR_CALL_FAILED, "library call failed", "library call failed: " },
    { VIR_ERR_XML_ERROR, "XML description is invalid or not well formed", "XML error: " },
    { VIR_ERR_DOM_EXIST, "this domain exists already",
      NULL }, /* libvirt puts the name in the middle */
    { VIR_ERR_OPERATION_DENIED, "operation forbidden for read only access",
      "operation forbidden: " },
    { VIR_ERR_CONF_SYNTAX, "configuration file syntax error", "configuration file syntax error: " },
    { VIR_ERR_XML_DETAIL, "parser error", "" },
    { VIR_ERR_SYSTEM_ERROR, "system call error", "" },
    { VIR_ERR_RPC, "RPC error", "" },
    { VIR_ERR_NO_DOMAIN, "Domain not found", "Domain not found: " },
    { VIR_ERR_NO_NETWORK, "Network not found", "Network not found: " },
    { VIR_ERR_NO_STORAGE_POOL, "Storage pool not found", "Storage pool not found: " },
    { VIR_ERR_NO_STORAGE_VOL, "Storage volume not found", "Storage volume not found: " },
    { VIR_ERR_NO_NODE_DEVICE, "Node device not found", "Node device not found: " },
    { VIR_ERR_NO_INTERFACE, "Interface not found", "Interface not found: " },
    { VIR_ERR_NO_SECRET, "Secret not found", "Secret not found: " },
    { VIR_ERR_NO_NWFILTER, "Network filter not found", "Network filter not found: " },
    { VIR_ERR_NO_DOMAIN_SNAPSHOT, "Domain snapshot not found", "Domain snapshot not found: " },
    { VIR_ERR_AUTH_FAILED, "authentication failed", "authentication failed: " },
    { VIR_ERR_OPERATION_INVALID, "Requested operation is not valid",
      "Requested operation is not valid: " },
    { VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration", "unsupported configuration: " },
    { VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation", "Timed out during operation: " },
    { VIR_ERR_INVALID_STREAM, "invalid stream pointer", "invalid stream pointer in " },
    { VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported", "argument unsupported: " },
    { VIR_ERR_OPERATION_ABORTED, "operation aborted", "operation aborted: " },
    { VIR_ERR_HOOK_SCRIPT_FAILED, "Hook script execution failed",
      "Hook script execution failed: " },
    { VIR_ERR_AUTH_CANCELLED, "authentication cancelled", "authentication cancelled: " },
    { VIR_ERR_NO_DOMAIN_METADATA, "metadata not found", "metadata not found: " },
    { VIR_ERR_OVERFLOW, "numerical overflow", "numerical overflow: " },
    { VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported", "Operation not supported: " },
    { VIR_ERR_RESOURCE_BUSY, "resource busy", "resource busy: " },
    { VIR_ERR_ACCESS_DENIED, "access denied", "access denied: " },
    { VIR_ERR_CPU_INCOMPATIBLE, "the CPU is incompatible with host CPU",
      "the CPU is incompatible with host CPU: " },
    { VIR_ERR_XML_INVALID_SCHEMA, "XML document failed to validate against schema",
      "XML document failed to validate against schema: " },
    { VIR_ERR_AUTH_UNAVAILABLE, "authentication unavailable", "authentication unavailable: " },
    { VIR_ERR_NO_HOSTNAME, "no hostname found", "no hostname found: " },
    { VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent is not responding",
      "Guest agent is not responding: " },
    { VIR_ERR_DEVICE_MISSING, "device not found", "device not found: " },
};

G_DEFINE_QUARK(vmctl - driver - error - quark, driver_error)

static const Prefix *
find_prefix(virErrorNumber code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (prefixes[i].code == code)
            return &prefixes[i];
    }
    return NULL;
}

static char *
message_new(virErrorNumber code, const char *detail)
{
    const Prefix *prefix = find_prefix(code);

    if (code == VIR_ERR_DOM_EXIST && detail)
        return g_strdup_printf("domain %s exists already", detail);
    if (!prefix) /* a number that nobody entered above: still a message that can be read */
        return g_strdup(detail ? detail : "unknown error");
    return detail ? g_strconcat(prefix->before, detail, NULL) : g_strdup(prefix->bare);
}

gboolean
driver_error(GError **error, virErrorNumber code, const char *format, ...)
{
    g_autofree char *detail = NULL;
    g_autofree char *message = NULL;
    va_list args;

    if (!error)
        return FALSE;
    if (format) {
        va_start(args, format);
        detail = g_strdup_vprintf(format, args);
        va_end(args);
    }
    message = message_new(code, detail);
    g_set_error_literal(error, DRIVER_ERROR, (int)code, message);
    return FALSE;
}

gboolean
driver_error_argument(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG, message);
    return FALSE;
}

gboolean
driver_error_errno(GError **error, int errnum, const char *format, ...)
{
    g_autofree char *detail = NULL;
    va_list args;

    va_start(args, format);
    detail = g_strdup_vprintf(format, args);
    va_end(args);
    return driver_error(error, VIR_ERR_SYSTEM_ERROR, "%s: %s", detail, g_strerror(errnum));
}
