#include "tests/bus/fake-agent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_SIZE 8192

static const char *const words[] = { "agent",       "agent-mute", "agent-hang",   "agent-garbage",
                                     "agent-flood", "agent-late", "agent-leaves", NULL };

static const struct {
    const char *execute, *answer; /* NULL: the line before, as it came */
} answers[] = {
    { "guest-get-host-name", "{\"return\":{\"host-name\":\"fakehost\"}}" },
    { "guest-get-time", "{\"return\":1700000000123456789}" },
    { "guest-set-time", "{\"return\":{}}" },
    { "guest-fsfreeze-freeze", "{\"return\":2}" },
    { "guest-fsfreeze-freeze-list", "{\"return\":1}" },
    { "guest-fsfreeze-thaw", "{\"return\":3}" },
    { "guest-fstrim", "{\"return\":{\"paths\":[]}}" },
    { "guest-get-fsinfo",
      "{\"return\":[{\"name\":\"tmp\",\"mountpoint\":\"/tmp\",\"type\":\"tmpfs\",\"disk\":[]},"
      "{\"name\":\"vda1\",\"mountpoint\":\"/\",\"type\":\"ext4\",\"used-bytes\":7,"
      "\"total-bytes\":9,\"disk\":[{\"serial\":\"s1\",\"bus-type\":\"virtio\",\"bus\":0,"
      "\"target\":0,\"unit\":0,\"dev\":\"/dev/vda1\",\"pci-controller\":{\"domain\":0,\"bus\":2,"
      "\"slot\":0,\"function\":0}}]}]}" },
    { "guest-get-vcpus", "{\"return\":[{\"logical-id\":3,\"online\":true,\"can-offline\":true},"
                         "{\"logical-id\":0,\"online\":true,\"can-offline\":false},"
                         "{\"logical-id\":1,\"online\":true,\"can-offline\":true},"
                         "{\"logical-id\":4,\"online\":false,\"can-offline\":true}]}" },
    { "guest-set-vcpus", "{\"return\":1}" }, /* one at a time */
    { "guest-network-get-interfaces",
      "{\"return\":[{\"name\":\"lo\",\"ip-addresses\":[{\"ip-address-type\":\"ipv4\","
      "\"ip-address\":\"127.0.0.1\",\"prefix\":8}],\"hardware-address\":\"00:00:00:00:00:00\"},"
      "{\"name\":\"eth0\",\"hardware-address\":\"52:54:00:00:00:01\"},"
      "{\"name\":\"eth0:1\",\"ip-addresses\":[{\"ip-address-type\":\"ipv6\","
      "\"ip-address\":\"fe80::1\",\"prefix\":64}]}]}" },
    { "guest-get-osinfo",
      "{\"return\":{\"id\":\"debian\",\"pretty-name\":\"Debian\",\"version-id\":\"12\"}}" },
    { "guest-get-timezone", "{\"return\":{\"zone\":\"UTC\",\"offset\":0}}" },
    { "guest-get-users", "{\"return\":[{\"user\":\"root\",\"login-time\":1700000000.5}]}" },
    { "guest-set-user-password", "{\"return\":{}}" },
    { "guest-ssh-get-authorized-keys", "{\"return\":{\"keys\":[\"ssh-ed25519 A\",\"# b\"]}}" },
    { "guest-ssh-add-authorized-keys", "{\"return\":{}}" },
    { "guest-ssh-remove-authorized-keys", "{\"return\":{}}" },
    { "fake-last", NULL },
};

const char *
fake_agent_find(bool (*behaves)(void *data, const char *word), void *data)
{
    for (size_t i = 0; words[i]; i++) {
        if (behaves(data, words[i]))
            return words[i];
    }
    return NULL;
}

typedef struct Agent {
    const char *word;
    int client, report;
    char last[LINE_SIZE];
} Agent;

static void
say(const Agent *agent, const char *text)
{
    if (send(agent->client, text, strlen(text), MSG_NOSIGNAL) < 0)
        return;
}

static bool
behaves(const Agent *agent, const char *word)
{
    return strcmp(agent->word, word) == 0;
}

static void
sync_up(const Agent *agent, const char *line)
{
    const char *id = strstr(line, "\"id\":");
    char text[64];

    if (behaves(agent, "agent-late"))
        say(agent, "{\"return\":{\"late\":\xff\n\xff{\"return\":1}\n{\"return\":{}}\n");
    snprintf(text, sizeof(text), "\xff{\"return\": %llu}\n", id ? strtoull(id + 5, NULL, 10) : 0);
    say(agent, text);
}

/* What goes away, or to sleep, does not answer. */
static void
leave(const Agent *agent, const char *line)
{
    const char how = strstr(line, "suspend-disk") ? 'd'
                     : strstr(line, "suspend")    ? 's'
                     : strstr(line, "reboot")     ? 'r'
                                                  : 'p';

    if (write(agent->report, &how, 1) < 0)
        _exit(1);
    while (how != 's') /* the guest goes away meanwhile */
        pause();
}

static void
answer(Agent *agent, const char *execute, const char *line)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(answers[i].execute, execute) != 0)
            continue;
        if (answers[i].answer) {
            say(agent, answers[i].answer);
        } else {
            say(agent, "{\"return\":");
            say(agent, agent->last);
            say(agent, "}");
        }
        say(agent, "\r\n");
        snprintf(agent->last, sizeof(agent->last), "%s", line);
        return;
    }
    say(agent, "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command ");
    say(agent, execute);
    say(agent, " has not\\u0007 been found\"}}\n");
}

static void
flood(const Agent *agent)
{
    char zeros[4096];

    memset(zeros, '0', sizeof(zeros));
    while (send(agent->client, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
        continue;
}

/* False where it hangs up. */
static bool
hear(Agent *agent, const char *line)
{
    const char *at = strstr(line, "\"execute\":\"");
    char execute[64] = "";

    if (at)
        snprintf(execute, sizeof(execute), "%.*s", (int)strcspn(at + 11, "\""), at + 11);
    if (behaves(agent, "agent-mute"))
        return true;
    if (strcmp(execute, "guest-sync-delimited") == 0)
        sync_up(agent, line);
    else if (behaves(agent, "agent-garbage"))
        say(agent, "this is \xff no JSON\n");
    else if (behaves(agent, "agent-flood"))
        flood(agent);
    else if (behaves(agent, "agent-leaves"))
        return false;
    else if (behaves(agent, "agent-hang"))
        return true;
    else if (strcmp(execute, "guest-shutdown") == 0 || strncmp(execute, "guest-suspend", 13) == 0)
        leave(agent, line);
    else
        answer(agent, execute, line);
    return true;
}

static void
serve_client(Agent *agent)
{
    FILE *in = fdopen(dup(agent->client), "r");
    char line[LINE_SIZE];

    while (in && fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = '\0';
        if (!hear(agent, line[0] == '\xff' ? line + 1 : line))
            break;
    }
    if (in)
        fclose(in);
}

static void
serve(int listener, int report, const char *word)
{
    Agent agent = { .word = word, .report = report, .last = "null" };

    for (;;) {
        agent.client = accept(listener, NULL, NULL);
        if (agent.client < 0)
            _exit(0);
        serve_client(&agent);
        close(agent.client);
    }
}

int
fake_agent_start(int listener, const char *word)
{
    int report[2];

    if (pipe(report) < 0)
        return -1;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(listener, 100);
        dup2(report[1], 101);
        dup2(100, 3);
        dup2(101, 4);
        close_range(5, ~0u, 0);
        /* As the driver made it, it does not wait. */
        fcntl(3, F_SETFL, fcntl(3, F_GETFL) & ~O_NONBLOCK);
        serve(3, 4, word);
    }
    close(report[1]);
    close(listener);
    return report[0];
}
