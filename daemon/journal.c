#include "daemon/journal.h"

#include "driver/units.h"

#include <systemd/sd-journal.h>
#include <unistd.h>

/* The ids are ours, made once by "systemd-id128 new". */
static const struct {
    int event;
    const char *id, *text;
} entries[] = {
    { VIR_DOMAIN_EVENT_DEFINED, "7a6edba851e64e75871c16c9c4747215", "was defined" },
    { VIR_DOMAIN_EVENT_UNDEFINED, "e83681b7e3f4485180278f345bce6316", "was undefined" },
    { VIR_DOMAIN_EVENT_STARTED, "65b9252619704820bc9b6c6708171664", "started" },
    { VIR_DOMAIN_EVENT_SUSPENDED, "7c1cf86679834a86ab32591115a86f54", "was suspended" },
    { VIR_DOMAIN_EVENT_RESUMED, "60108bcccf5f4fccbe17ee93c93d3c50", "runs" },
    { VIR_DOMAIN_EVENT_STOPPED, "7179383c41ce47d4b374aaa0dd0a342a", "stopped" },
    { VIR_DOMAIN_EVENT_CRASHED, "85cf758c568d46b5a424cabeca5ab911", "crashed" },
};

void
journal_lifecycle(const Domain *domain, int event)
{
    g_autofree char *unit = NULL;

    if (!g_log_writer_is_journald(STDERR_FILENO) || domain_is_simulated(domain))
        return;
    unit = units_name(domain_name(domain));
    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        if (entries[i].event == event)
            sd_journal_send("MESSAGE=Domain '%s' %s", domain_name(domain), entries[i].text,
                            "PRIORITY=6", "MESSAGE_ID=%s", entries[i].id, "DOMAIN_NAME=%s",
                            domain_name(domain), "DOMAIN_UUID=%s", domain_uuid(domain),
                            "OBJECT_SYSTEMD_UNIT=%s", unit, NULL);
    }
}
