#include "daemon/dbus-turns.h"

typedef struct Client {
    char *sender;
    GQueue calls; /* of GDBusMethodInvocation, never empty */
} Client;

struct Turns {
    void (*serve)(GDBusMethodInvocation *invocation);
    GHashTable *clients; /* by sender: those with calls that wait */
    GQueue order;        /* of Client: whose turn it is */
    guint source;
};

static void
client_free(gpointer data)
{
    Client *client = data;

    g_queue_clear_full(&client->calls, g_object_unref);
    g_free(client->sender);
    g_free(client);
}

Turns *
turns_new(void (*serve)(GDBusMethodInvocation *invocation))
{
    Turns *turns = g_new0(Turns, 1);

    turns->serve = serve;
    turns->clients = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, client_free);
    return turns;
}

void
turns_free(Turns *turns)
{
    if (!turns)
        return;
    g_clear_handle_id(&turns->source, g_source_remove);
    g_queue_clear(&turns->order);
    g_hash_table_unref(turns->clients);
    g_free(turns);
}

/* The next one's next call. */
static GDBusMethodInvocation *
next_call(Turns *turns)
{
    Client *client = g_queue_pop_head(&turns->order);
    GDBusMethodInvocation *call = g_queue_pop_head(&client->calls);

    if (g_queue_is_empty(&client->calls))
        g_hash_table_remove(turns->clients, client->sender);
    else
        g_queue_push_tail(&turns->order, client);
    return call;
}

static gboolean
serve_round(gpointer data)
{
    Turns *turns = data;

    for (guint n = turns->order.length; n > 0; n--)
        turns->serve(next_call(turns));
    if (!g_queue_is_empty(&turns->order))
        return G_SOURCE_CONTINUE;
    turns->source = 0;
    return G_SOURCE_REMOVE;
}

static Client *
find_client(Turns *turns, const char *sender)
{
    Client *client = g_hash_table_lookup(turns->clients, sender);

    if (client)
        return client;
    client = g_new0(Client, 1);
    client->sender = g_strdup(sender);
    g_hash_table_insert(turns->clients, client->sender, client);
    g_queue_push_tail(&turns->order, client);
    return client;
}

/* GDBus tells of each call from a source of the same priority: what has come in until a round begins is sorted by
 * then, and however much comes, a round is never far. */
void
turns_add(Turns *turns, GDBusMethodInvocation *invocation)
{
    const char *sender = g_dbus_method_invocation_get_sender(invocation);
    Client *client = find_client(turns, sender ? sender : ""); /* without a bus there is one client */

    g_queue_push_tail(&client->calls, invocation);
    if (!turns->source)
        turns->source = g_idle_add_full(G_PRIORITY_DEFAULT, serve_round, turns, NULL);
}
