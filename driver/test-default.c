#include "driver/test-default.h"

#include "driver/sysinfo.h"

#define CELLS         2
#define CPUS_PER_CELL 8

const char test_default_domain[] =
    "<domain type='test'>"
    "<name>test</name>"
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
                         "      <model>testSecurity</model>\n"
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
