/* A guest agent of anybody's making: what it sends while a command waits ends in an answer or an error, and what the
 * answer says of file systems, disks and network interfaces is read or refused. The first byte says whether the
 * harness agrees with the link where they are, as an agent does, before the rest is sent. */
#include "driver/agent-info.h"
#include "driver/agent-link.h"
#include "driver/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Outcome {
    gboolean over;
    GVariant *reply;
} Outcome;

static void
over(gpointer data, GVariant *reply, const GError *error)
{
    Outcome *outcome = data;

    g_assert_true(!outcome->over && (reply == NULL) != (error == NULL));
    g_assert_true(!error || g_utf8_validate(error->message, -1, NULL));
    outcome->over = TRUE;
    outcome->reply = reply ? g_variant_ref(reply) : NULL;
}

static void
agree(int fd)
{
    char asked[256], answer[64];
    ssize_t n = recv(fd, asked, sizeof(asked) - 1, MSG_DONTWAIT);
    const char *id;

    if (n <= 0)
        return;
    asked[n] = '\0';
    id = strstr(asked, "\"id\":");
    g_assert_nonnull(id);
    g_snprintf(answer, sizeof(answer), "\xff{\"return\":%s}\n", strtok((char *)id + 5, "}"));
    g_assert_cmpint(send(fd, answer, strlen(answer), 0), ==, (ssize_t)strlen(answer));
}

static void
read_all(GVariant *returned)
{
    g_autoptr(DomainDef) def = domain_def_new();
    g_autoptr(GPtrArray) filesystems = agent_filesystems_read(returned, NULL);
    GVariant *interfaces = agent_interfaces_read(returned, NULL);
    GVariantBuilder params;

    g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
    if (filesystems)
        agent_filesystems_describe(filesystems, def, &params);
    agent_disks_describe(returned, def, &params, NULL);
    g_variant_unref(g_variant_ref_sink(g_variant_builder_end(&params)));
    if (interfaces)
        g_variant_unref(g_variant_ref_sink(interfaces));
}

static void
turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Outcome outcome = { FALSE, NULL };
    AgentLink *link;
    int ends[2];

    if (size < 1 || size > 65536)
        return 0;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    link = agent_link_new(ends[0]);
    agent_link_send(link, "{\"execute\":\"guest-fuzz\"}", AGENT_DEFAULT, over, &outcome);
    turn();
    if (data[0] & 1)
        agree(ends[1]);
    turn();
    send(ends[1], data + 1, size - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    turn();
    close(ends[1]);
    turn();
    g_assert_true(outcome.over);
    if (outcome.reply) {
        g_autoptr(GVariant) returned = json_member(outcome.reply, "return", "*");
        g_autofree char *text = json_format(outcome.reply);

        g_assert_true(g_utf8_validate(text, -1, NULL));
        if (returned)
            read_all(returned);
        g_variant_unref(outcome.reply);
    }
    agent_link_free(link);
    return 0;
}
