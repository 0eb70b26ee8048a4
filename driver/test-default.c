#include "driver/test-default.h"

#include "driver/sysinfo.h"

#include <libvirt/libvirt.h>

#define CELLS         2
#define CPUS_PER_CELL 8

const char test_default_domain[] =
    "<domain type='test'>"
    "<name>" TEST_DEFAULT_NAME "</name>"
    "<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>"
    "<memory>8388608</memory>"
    "<currentMemory>2097152</currentMemory>"
    "<vcpu>2</vcpu>"
    "<os><type>hvm</type></os>"
    "<devices>"
    "<disk type='file' device='disk'>"
    "<source file='/guest/diskimage1'/>"
    "<target dev='vda' bus='virtio'/>"
    "<address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>"
    "</disk>"
    "<interface type='network'>"
    "<mac address='aa:bb:cc:dd:ee:ff'/>"
    "<source network='default'/>"
    "<target dev='testnet0'/>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>"
    "</interface>"
    "<memballoon model='virtio'>"
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>"
    "</memballoon>"
    "</devices>"
    "</domain>";

static const char *const system_device[] = { "system", NULL };
static const char *const scsi_host[] = { "scsi_host", NULL };

/* A port of a fibre channel; a virtual one has no room for more of them. */
#define FC_HOST                                                                                    \
    (VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST | VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST)
#define FC_HOST_VPORTS (FC_HOST | VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS)

#define SCSI_HOST_XML(number, parent, unique, world_wide, fabric, vports)                          \
    "<device>\n"                                                                                   \
    "  <name>scsi_host" number "</name>\n"                                                         \
    "  <parent>" parent "</parent>\n"                                                              \
    "  <capability type='scsi_host'>\n"                                                            \
    "    <host>" number "</host>\n"                                                                \
    "    <unique_id>" unique "</unique_id>\n"                                                      \
    "    <capability type='fc_host'>\n"                                                            \
    "      <wwnn>20000000" world_wide "</wwnn>\n"                                                  \
    "      <wwpn>10000000" world_wide "</wwpn>\n"                                                  \
    "      <fabric_wwn>20000000" fabric "</fabric_wwn>\n"                                          \
    "    </capability>\n" vports "  </capability>\n"                                               \
    "</device>\n"
#define VPORTS_XML                                                                                 \
    "    <capability type='vport_ops'>\n"                                                          \
    "      <max_vports>0</max_vports>\n"                                                           \
    "      <vports>0</vports>\n"                                                                   \
    "    </capability>\n"

const HostFacts test_default_objects[] = {
    { .kind = HOST_NETWORK,
      .name = "default",
      .uuid = "dd8fe884-6c02-601e-7551-cca97df1c5df",
      .xml = "<network>\n"
             "  <name>default</name>\n"
             "  <uuid>dd8fe884-6c02-601e-7551-cca97df1c5df</uuid>\n"
             "  <forward mode='nat'/>\n"
             "  <bridge name='virbr0' stp='on' delay='0'/>\n"
             "  <ip address='192.168.122.1' netmask='255.255.255.0'>\n"
             "    <dhcp>\n"
             "      <range start='192.168.122.2' end='192.168.122.254'/>\n"
             "    </dhcp>\n"
             "  </ip>\n"
             "</network>\n" },
    { .kind = HOST_POOL,
      .name = "default-pool",
      .uuid = "dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566",
      .types = VIR_CONNECT_LIST_STORAGE_POOLS_DIR,
      .xml = "<pool type='dir'>\n"
             "  <name>default-pool</name>\n"
             "  <uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>\n"
             "  <capacity unit='bytes'>107374182400</capacity>\n"
             "  <allocation unit='bytes'>0</allocation>\n"
             "  <available unit='bytes'>107374182400</available>\n"
             "  <source>\n"
             "  </source>\n"
             "  <target>\n"
             "    <path>/default-pool</path>\n"
             "  </target>\n"
             "</pool>\n" },
    { .kind = HOST_INTERFACE,
      .name = "eth1",
      .mac = "aa:bb:cc:dd:ee:ff",
      .xml = "<interface type='ethernet' name='eth1'>\n"
             "  <start mode='onboot'/>\n"
             "  <mtu size='1492'/>\n"
             "  <protocol family='ipv4'>\n"
             "    <ip address='192.168.0.5' prefix='24'/>\n"
             "    <route gateway='192.168.0.1'/>\n"
             "  </protocol>\n"
             "  <mac address='aa:bb:cc:dd:ee:ff'/>\n"
             "</interface>\n" },
    { .kind = HOST_NODE_DEVICE,
      .name = "computer",
      .capabilities = system_device,
      .types = VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM,
      .xml = "<device>\n"
             "  <name>computer</name>\n"
             "  <capability type='system'>\n"
             "    <hardware>\n"
             "      <vendor>Libvirt</vendor>\n"
             "      <version>Test driver</version>\n"
             "      <serial>123456</serial>\n"
             "      <uuid>11111111-2222-3333-4444-555555555555</uuid>\n"
             "    </hardware>\n"
             "    <firmware>\n"
             "      <vendor>Libvirt</vendor>\n"
             "      <version>Test Driver</version>\n"
             "      <release_date>01/22/2007</release_date>\n"
             "    </firmware>\n"
             "  </capability>\n"
             "</device>\n" },
    { .kind = HOST_NODE_DEVICE,
      .name = "scsi_host1",
      .parent = "computer",
      .capabilities = scsi_host,
      .types = FC_HOST_VPORTS,
      .xml = SCSI_HOST_XML("1", "computer", "0", "12341234", "43214321", VPORTS_XML) },
    { .kind = HOST_NODE_DEVICE,
      .name = "scsi_host2",
      .parent = "computer",
      .capabilities = scsi_host,
      .types = FC_HOST_VPORTS,
      .xml = SCSI_HOST_XML("2", "computer", "1", "56785678", "87658765", VPORTS_XML) },
    { .kind = HOST_NODE_DEVICE,
      .name = "scsi_host11",
      .parent = "scsi_host1",
      .capabilities = scsi_host,
      .types = FC_HOST,
      .xml = SCSI_HOST_XML("11", "scsi_host1", "10", "34563456", "43214321", "") },
    { 0 },
};

/* A copy of scsi_host11, number included, with names of its own. */
void
test_default_port(const char *wwnn, const char *wwpn, HostFacts *ret)
{
    *ret = (HostFacts){ .kind = HOST_NODE_DEVICE, .capabilities = scsi_host, .types = FC_HOST };
    ret->name = g_strdup("scsi_host12");
    ret->parent = g_strdup("scsi_host1");
    ret->xml = g_markup_printf_escaped("<device>\n"
                                       "  <name>scsi_host12</name>\n"
                                       "  <parent>scsi_host1</parent>\n"
                                       "  <capability type='scsi_host'>\n"
                                       "    <host>11</host>\n"
                                       "    <unique_id>10</unique_id>\n"
                                       "    <capability type='fc_host'>\n"
                                       "      <wwnn>%s</wwnn>\n"
                                       "      <wwpn>%s</wwpn>\n"
                                       "      <fabric_wwn>2000000043214321</fabric_wwn>\n"
                                       "    </capability>\n"
                                       "  </capability>\n"
                                       "</device>\n",
                                       wwnn, wwpn);
}

const HostNode test_default_node = {
    .model = "i686", .memory_kib = 3145728, .cpus = 16, .mhz = 1400,
    .nodes = CELLS,  .sockets = 2,          .cores = 2, .threads = 2,
};

const HostCpuTimes test_default_cpu = { .user = 9797400000,
                                   .kernel = 34678723400000,
                                   .idle = 87264900000,
                                   .iowait = 763600000 };

/* The cells differ in their memory and in the size of its small pages. */
static const struct {
    guint kib, page_kib;
} cells[CELLS] = { { 2097152, 4 }, { 4194304, 8 } };

static void
put_cell(GString *out, guint cell)
{
    g_string_append_printf(out,
                           "        <cell id='%u'>\n"
                           "          <memory unit='KiB'>%u</memory>\n"
                           "          <pages unit='KiB' size='%u'>%u</pages>\n"
                           "          <pages unit='KiB' size='2048'>0</pages>\n"
                           "          <pages unit='KiB' size='1048576'>0</pages>\n"
                           "          <cpus num='%u'>\n",
                           cell, cells[cell].kib, cells[cell].page_kib,
                           cells[cell].kib / cells[cell].page_kib, CPUS_PER_CELL);
    for (guint core = 0; core < CPUS_PER_CELL; core++) {
        guint cpu = cell * CPUS_PER_CELL + core;

        g_string_append_printf(out,
                               "            <cpu id='%u' socket_id='%u' die_id='0' core_id='%u' "
                               "siblings='%u'/>\n",
                               cpu, cell, core, cpu);
    }
    g_string_append(out, "          </cpus>\n"
                         "        </cell>\n");
}

static void
put_guest(GString *out, const char *os_type)
{
    g_string_append_printf(out,
                           "  <guest>\n"
                           "    <os_type>%s</os_type>\n"
                           "    <arch name='i686'>\n"
                           "      <wordsize>32</wordsize>\n"
                           "      <emulator>/usr/bin/test-hv</emulator>\n"
                           "      <domain type='test'/>\n"
                           "    </arch>\n"
                           "    <features>\n"
                           "      <pae/>\n"
                           "      <nonpae/>\n"
                           "    </features>\n"
                           "  </guest>\n\n",
                           os_type);
}

char *
test_default_capabilities(void)
{
    GString *out = g_string_new("<capabilities>\n\n"
                                "  <host>\n"
                                "    <cpu>\n"
                                "      <arch>i686</arch>\n"
                                "      <features>\n"
                                "        <pae/>\n"
                                "        <nonpae/>\n"
                                "      </features>\n"
                                "      <pages unit='KiB' size='4'/>\n"
                                "      <pages unit='KiB' size='8'/>\n"
                                "      <pages unit='KiB' size='2048'/>\n"
                                "      <pages unit='KiB' size='1048576'/>\n"
                                "    </cpu>\n"
                                "    <power_management/>\n"
                                "    <iommu support='no'/>\n"
                                "    <topology>\n");

    g_string_append_printf(out, "      <cells num='%u'>\n", CELLS);
    for (guint cell = 0; cell < CELLS; cell++)
        put_cell(out, cell);
    g_string_append(out, "      </cells>\n"
                         "    </topology>\n"
                         "    <secmodel>\n"
                         "      <model>" TEST_DEFAULT_SECURITY_MODEL "</model>\n"
                         "      <doi></doi>\n"
                         "    </secmodel>\n"
                         "  </host>\n\n");
    put_guest(out, "hvm");
    put_guest(out, "xen");
    g_string_append(out, "</capabilities>\n");
    return g_string_free(out, FALSE);
}

void
test_default_sysinfo(Sysinfo *ret)
{
    static const char *const bios[] = { "LENOVO", "G4ETA1WW (2.61 )", "05/07/2014", "2.61" };

    for (gsize i = 0; i < G_N_ELEMENTS(bios); i++)
        ret->texts[0][i] = g_strdup(bios[i]); /* the first block is <bios> */
    ret->has_smbios = TRUE;
}
