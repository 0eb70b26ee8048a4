#include "tests/unit/xml-fixture.h"

#include "driver/image-wait.h"
#include "driver/vsock-host.h"

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

char *
source_path(const char *name)
{
    const char *top = g_getenv("VMCTL_TOP_SRCDIR");

    return g_build_filename(top ? top : ".", name, NULL);
}

char *
read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

void
add_documents_of(const char *kind, const char *prefix, GTestDataFunc test)
{
    g_autofree char *data = source_path("tests/data");
    g_autofree char *dir_path = g_build_filename(data, kind, NULL);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *entry;

    g_assert_nonnull(dir);
    while ((entry = g_dir_read_name(dir))) {
        if (g_str_has_suffix(entry, ".xml") && !g_str_has_suffix(entry, ".out.xml"))
            g_ptr_array_add(names, g_strndup(entry, strlen(entry) - strlen(".xml")));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *test_path = g_strdup_printf("%s/%s", prefix, name);

        g_test_add_data_func_full(test_path, g_strdup_printf("%s/%s.xml", dir_path, name), test,
                                  g_free);
    }
}

void
add_document_tests(const char *prefix, GTestDataFunc test)
{
    add_documents_of("domain-xml", prefix, test);
}

char *
sibling(const char *path, const char *ending)
{
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".xml"));

    return g_strconcat(stem, ending, NULL);
}

void
assert_golden(const char *path, const char *text)
{
    g_autofree char *expected = NULL;

    if (g_getenv("VMCTL_REGENERATE"))
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    expected = read_file(path);
    g_assert_cmpstr(text, ==, expected);
}

/* So that local addresses can be reached there, too. */
static void
raise_loopback(int sock)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

    ioctl(sock, SIOCSIFFLAGS, &request);
}

gboolean
enter_own_network(void)
{
    int sock, answer;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return FALSE;
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    raise_loopback(sock);
    answer = ioctl(sock, SIOCBRADDBR, "br0");
    close(sock);
    return answer == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
}

void
use_fake_passt(void)
{
    g_autofree char *dir = source_path("tests/unit/fake-passt");
    g_autofree char *path = g_strconcat(dir, ":", g_getenv("PATH"), NULL);

    g_setenv("PATH", path, TRUE);
}

static VmmMsg *
collect(gpointer data, const char *class, const char *id)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(data, msg);
    return msg;
}

static gboolean
nobody_has_cid(gpointer data, guint cid)
{
    return FALSE;
}

char *
lower_to_text(DomainDef *def)
{
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(ImageWait) images = image_wait_new();
    g_autofree char *dir = g_dir_make_tmp("vmctl-lower-XXXXXX", NULL);
    g_autofree char *vsock = g_build_filename(dir, "vsock", NULL);
    g_autofree char *channels = g_build_filename(dir, "channel", NULL);
    DeviceLowering to = {
        .domain_name = def->name,
        .iothreads = &def->iothreads,
        .run_dir = dir,
        .vsock_dir = vsock,
        .vsock_broker = "/bin/true",
        .cid_taken = nobody_has_cid,
        .add = collect,
        .data = messages,
        .balloon_kib = def->memory_kib - def->current_memory_kib,
        .images = images,
        .connect_broker = "/bin/true",
    };
    g_autoptr(GError) error = NULL;

    if (!device_list_lower(def->devices, &to, &error))
        g_string_printf(text, "%d %s\n", error->code, error->message);
    device_list_release(def->devices);
    vsock_host_discard(vsock);
    rmdir(channels); /* where there was a socket */
    g_assert_cmpint(rmdir(dir), ==, 0);
    for (guint i = 0; i < messages->len && !error; i++) {
        char *one = vmm_msg_describe(g_ptr_array_index(messages, i));

        g_string_append(text, one);
        free(one);
    }
    return g_strdup(text->str);
}
