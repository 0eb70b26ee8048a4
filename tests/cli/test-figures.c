/* What vmctl says of a guest's disks and network cards that have done something. */
#include "tests/cli/vmctl.h"

#include <string.h>

#define IMAGE_SIZE (1 << 20)
#define MAC        "52:54:00:00:00:01"

/* A running guest "web" with the disks vda, whose image is "disk" in the fixture's directory, and vdb, and a card. */
static void
start_guest(Fixture *fixture)
{
    g_autofree char *zeros = g_malloc0(IMAGE_SIZE);
    g_autofree char *first = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *second = g_build_filename(fixture->dir, "second", NULL);
    g_autofree char *devices =
        g_strdup_printf("<disk type='file'><source file='%s'/><target dev='vda'/></disk>"
                        "<disk type='file'><source file='%s'/><target dev='vdb'/></disk>"
                        "<interface type='user'><mac address='" MAC "'/></interface>",
                        first, second);
    g_autofree char *path = NULL;

    g_assert_true(g_file_set_contents(first, zeros, IMAGE_SIZE, NULL));
    g_assert_true(g_file_set_contents(second, zeros, IMAGE_SIZE, NULL));
    path = fixture_define_with(fixture, "web", "", devices);
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
}

/* By its target and by its source. */
static void
test_disk(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *source = g_build_filename(fixture->dir, "second", NULL);
    g_autofree char *by_source =
        g_strdup_printf("%s rd_req 100\n%s rd_bytes 200\n%s wr_req 400\n"
                        "%s wr_bytes 500\n%s flush_operations 700\n"
                        "%s rd_total_times 300\n%s wr_total_times 600\n"
                        "%s flush_total_times 800\n\n",
                        source, source, source, source, source, source, source, source);

    start_guest(fixture);
    vmctl_says(fixture,
               "vda rd_req 100\n"
               "vda rd_bytes 200\n"
               "vda wr_req 400\n"
               "vda wr_bytes 500\n"
               "vda flush_operations 700\n"
               "vda rd_total_times 300\n"
               "vda wr_total_times 600\n"
               "vda flush_total_times 800\n\n",
               "domblkstat", "web", "vda");
    vmctl_says(fixture, by_source, "domblkstat", "web", source);
}

static void
test_all_disks(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               " rd_req 200\n"
               " rd_bytes 400\n"
               " wr_req 800\n"
               " wr_bytes 1000\n"
               " flush_operations 1400\n"
               " rd_total_times 600\n"
               " wr_total_times 1200\n"
               " flush_total_times 1600\n\n",
               "domblkstat", "web");
}

static void
test_disk_human(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               "Device: vdb\n"
               " number of read operations:      100\n"
               " number of bytes read:           200\n"
               " number of write operations:     400\n"
               " number of bytes written:        500\n"
               " number of flush operations:     700\n"
               " total duration of reads (ns):   300\n"
               " total duration of writes (ns):  600\n"
               " total duration of flushes (ns): 800\n\n",
               "domblkstat", "web", "vdb", "--human");
}

static void
test_disk_json(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               "{\n"
               "  \"device\": \"vda\",\n"
               "  \"read-requests\": 100,\n"
               "  \"read-bytes\": 200,\n"
               "  \"write-requests\": 400,\n"
               "  \"write-bytes\": 500,\n"
               "  \"flush-requests\": 700,\n"
               "  \"read-time-ns\": 300,\n"
               "  \"write-time-ns\": 600,\n"
               "  \"flush-time-ns\": 800\n"
               "}\n",
               "domblkstat", "web", "vda", "--output", "json");
}

static void
test_disk_errors(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_fails(fixture,
                "error: Failed to get block stats web vdz\n"
                "error: invalid argument: invalid path: vdz\n",
                "domblkstat", "web", "vdz");
    vmctl_fails(fixture,
                "error: Failed to get block stats web vdz\n"
                "error: invalid argument: invalid path: vdz\n",
                "domblkstat", "web", "vdz", "--output", "json");
    vmctl_says(fixture, "Domain 'web' destroyed\n\n", "destroy", "web");
    vmctl_fails(fixture,
                "error: Failed to get block stats web vda\n"
                "error: Requested operation is not valid: domain is not running\n",
                "domblkstat", "web", "vda");
}

/* A running guest's sizes are its own. */
static void
test_sizes(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               "Capacity:       1048576\n"
               "Allocation:     4096\n"
               "Physical:       8192\n\n",
               "domblkinfo", "web", "vda");
    vmctl_says(fixture,
               " Target   Capacity   Allocation   Physical\n"
               "--------------------------------------------\n"
               " vda      1048576    4096         8192\n"
               " vdb      1048576    4096         8192\n\n",
               "domblkinfo", "web", "--all");
    vmctl_fails(fixture, "error: invalid argument: invalid path vdz not assigned to domain\n",
                "domblkinfo", "web", "vdz");
}

/* By its target and by its address. */
static void
test_interface(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               "net0 rx_bytes 20\n"
               "net0 rx_packets 10\n"
               "net0 rx_errs 0\n"
               "net0 rx_drop 30\n"
               "net0 tx_bytes 50\n"
               "net0 tx_packets 40\n"
               "net0 tx_errs 0\n"
               "net0 tx_drop 60\n\n",
               "domifstat", "web", "net0");
    vmctl_says(fixture,
               MAC " rx_bytes 20\n" MAC " rx_packets 10\n" MAC " rx_errs 0\n" MAC
                   " rx_drop 30\n" MAC " tx_bytes 50\n" MAC " tx_packets 40\n" MAC
                   " tx_errs 0\n" MAC " tx_drop 60\n\n",
               "domifstat", "web", MAC);
}

static void
test_interface_json(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_says(fixture,
               "{\n"
               "  \"interface\": \"" MAC "\",\n"
               "  \"rx-bytes\": 20,\n"
               "  \"rx-packets\": 10,\n"
               "  \"rx-errors\": 0,\n"
               "  \"rx-drops\": 30,\n"
               "  \"tx-bytes\": 50,\n"
               "  \"tx-packets\": 40,\n"
               "  \"tx-errors\": 0,\n"
               "  \"tx-drops\": 60\n"
               "}\n",
               "domifstat", "web", MAC, "--output", "json");
}

static void
test_interface_errors(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start_guest(fixture);
    vmctl_fails(fixture,
                "error: Failed to get interface stats web vnet7\n"
                "error: invalid argument: 'vnet7' is not a known interface\n",
                "domifstat", "web", "vnet7");
    vmctl_says(fixture, "Domain 'web' destroyed\n\n", "destroy", "web");
    vmctl_fails(fixture,
                "error: Failed to get interface stats web " MAC "\n"
                "error: Requested operation is not valid: domain is not running\n",
                "domifstat", "web", MAC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_unsetenv("LANGUAGE");
    g_test_add_func("/vmctl/figures/disk", test_disk);
    g_test_add_func("/vmctl/figures/all-disks", test_all_disks);
    g_test_add_func("/vmctl/figures/disk-human", test_disk_human);
    g_test_add_func("/vmctl/figures/disk-json", test_disk_json);
    g_test_add_func("/vmctl/figures/disk-errors", test_disk_errors);
    g_test_add_func("/vmctl/figures/sizes", test_sizes);
    g_test_add_func("/vmctl/figures/interface", test_interface);
    g_test_add_func("/vmctl/figures/interface-json", test_interface_json);
    g_test_add_func("/vmctl/figures/interface-errors", test_interface_errors);
    return g_test_run();
}
