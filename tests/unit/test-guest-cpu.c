/* What a document's <cpu> comes to on hosts that are written down here. The tables: test-cpu-tables. */
#include "driver/cpu-compare.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/guest-cpu.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"

static void
add_names(CpuBits *bits, const char *names)
{
    g_auto(GStrv) words = g_strsplit(names, " ", -1);

    for (char **word = words; *word; word++)
        g_assert_true(cpu_bits_add_name(bits, *word));
}

/* A host that is @model, whose KVM gives all of it but what KVM never gives. */
static HostCpu
make_host(const char *vendor_id, const char *name, const char *more)
{
    const CpuModel *model = cpu_model_find(name);
    HostCpu host = { .has_kvm = TRUE, .physical_bits = 46, .signature = model->signature };
    CpuBits added, left_out;

    g_strlcpy(host.vendor_id, vendor_id, sizeof(host.vendor_id));
    host.signature.model = model->hosts.models[0];
    cpu_model_bits(model, &host.own);
    host.kvm = host.own;
    guest_cpu_defaults(&added, &left_out);
    left_out.words[cpu_word_find(0x80000001, 0, CPU_ECX)] = 0; /* svm it does give */
    cpu_bits_remove(&host.kvm, &left_out);
    cpu_bits_add(&host.kvm, &added);
    add_names(&host.kvm, more);
    return host;
}

static DomainDef *
parse(const char *features, const char *cpu, const char *clock)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><features>%s</features>%s<clock>%s</clock></domain>",
        features, cpu, clock);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return def;
}

static char *
cpu_text(const DomainCpu *cpu)
{
    XmlWriter *out = xml_writer_new();

    domain_cpu_format(cpu, out);
    return xml_writer_finish(out);
}

/* What "create" says of the CPUs of @def on @host, as text; the live document's <cpu> stays in @def. */
static char *
lower(DomainDef *def, const HostCpu *host)
{
    vmm_msg_auto msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    g_autoptr(GError) error = NULL;
    char *text, *copy;

    guest_cpu_lower(def, host, msg, &error);
    g_assert_no_error(error);
    text = vmm_msg_describe(msg);
    copy = g_strdup(text);
    free(text);
    return copy;
}

static void
assert_refused(const char *cpu, const HostCpu *host, int code, const char *message)
{
    g_autoptr(DomainDef) def = parse("", cpu, "");
    vmm_msg_auto msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    g_autoptr(GError) error = NULL;

    g_assert_true(guest_cpu_needs_host(def));
    g_assert_false(guest_cpu_lower(def, host, msg, &error));
    g_assert_error(error, DRIVER_ERROR, code);
    g_assert_cmpstr(error->message, ==, message);
}

static gboolean
says(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Decoding */

/* Each model that can describe a host describes one that has its features and its number. */
static void
test_decode(void)
{
    for (gsize i = 0; i < cpu_n_models; i++) {
        const CpuModel *model = &cpu_models[i], *found;
        HostCpu host = { .signature = { model->hosts.family, model->hosts.models[0],
                                        model->hosts.first_stepping } };

        if (model->flags || !model->hosts.family || strcmp(model->name, "Opteron_G1") == 0)
            continue;
        g_strlcpy(host.vendor_id, strcmp(model->vendor, "Intel") == 0 ? INTEL : AMD, 13);
        if (strcmp(model->vendor, "Hygon") == 0)
            g_strlcpy(host.vendor_id, "HygonGenuine", 13);
        cpu_model_bits(model, &host.own);
        found = host_cpu_decode(&host, &host.own, FALSE);
        g_assert_cmpstr(found->name, ==, model->name);
    }
}

/* A host's description has no feature that is missing; a guest's may, and then keeps the family. */
static void
test_decode_less(void)
{
    HostCpu host = make_host(INTEL, "Skylake-Client", "");
    CpuBits less = host.own, rtm = { { 0 } };

    add_names(&rtm, "rtm hle mpx");
    cpu_bits_remove(&less, &rtm);
    g_assert_cmpstr(host_cpu_decode(&host, &less, FALSE)->name, ==, "Broadwell-noTSX");
    g_assert_cmpstr(host_cpu_decode(&host, &less, TRUE)->name, ==, "Skylake-Client");
}

/* Lowering */

static void
test_named(void)
{
    HostCpu host = make_host(INTEL, "Icelake-Server", "spec-ctrl");
    g_autoptr(DomainDef) def = parse(
        "", "<cpu><model>SandyBridge</model><feature policy='disable' name='avx'/></cpu>", "");
    g_autofree char *vmm = lower(def, &host);
    g_autofree char *live = cpu_text(&def->cpu);

    g_assert_cmpstr(live, ==,
                    "<cpu mode='custom' match='exact' check='full'>\n"
                    "  <model fallback='allow'>SandyBridge</model>\n"
                    "  <feature policy='require' name='hypervisor'/>\n"
                    "  <feature policy='disable' name='avx'/>\n"
                    "</cpu>\n");
    g_assert_true(says(vmm, "0.0:eax=d/ffffffff "));
    g_assert_true(says(vmm, "80000000.0:eax=80000008/ffffffff "));
    g_assert_true(says(vmm, "0.0:ebx=756e6547/ffffffff "));
    g_assert_true(says(vmm, " 1.0:eax=206a1/ffffffff "));
    g_assert_true(says(vmm, " 7.0:ebx=0/ffffffff ")); /* the host's newer features are gone */
    g_assert_true(says(vmm, " 1.0:ecx=87b82203/ffffffff "));
    g_assert_true(says(vmm, "cpu-cache"));
    g_assert_true(says(vmm, "pmu"));
    g_assert_false(says(vmm, "msrs"));
}

static void
test_missing(void)
{
    HostCpu host = make_host(INTEL, "Westmere", "");

    assert_refused("<cpu><model>SandyBridge</model></cpu>", &host, VIR_ERR_CPU_INCOMPATIBLE,
                   "the CPU is incompatible with host CPU: Host CPU does not provide required "
                   "features: pclmuldq, tsc-deadline, xsave, avx, rdtscp");
}

/* Without a check the guest does without, and the document says nothing of it. */
static void
test_unchecked(void)
{
    HostCpu host = make_host(INTEL, "Westmere", "");
    g_autoptr(DomainDef) def = parse("", "<cpu check='none'><model>SandyBridge</model></cpu>", "");
    g_autofree char *before = cpu_text(&def->cpu);
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_cmpstr(before, ==, live);
    g_assert_true(says(vmm, " 1.0:ecx=82b82201/ffffffff ")); /* no AVX, no XSAVE */
}

static void
test_policies(void)
{
    HostCpu host = make_host(INTEL, "Haswell", "");
    g_autoptr(DomainDef) def =
        parse("",
              "<cpu><model>Nehalem</model><feature policy='force' name='rdseed'/>"
              "<feature policy='optional' name='avx2'/><feature policy='optional' name='adx'/>"
              "<feature policy='forbid' name='sha-ni'/></cpu>",
              "");
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_true(says(vmm, " 7.0:ebx=40020/ffffffff "));
    g_assert_true(says(vmm, "0.0:eax=b/ffffffff "));
    g_assert_true(says(live, "<feature policy='require' name='rdseed'/>"));
    g_assert_true(says(live, "<feature policy='require' name='avx2'/>"));
    g_assert_false(says(live, "adx"));
    assert_refused("<cpu><model>Nehalem</model><feature policy='forbid' name='avx2'/></cpu>", &host,
                   VIR_ERR_CPU_INCOMPATIBLE,
                   "the CPU is incompatible with host CPU: Host CPU provides forbidden features: "
                   "avx2");
    assert_refused("<cpu><model>Nehalem</model><vendor>AMD</vendor></cpu>", &host,
                   VIR_ERR_CPU_INCOMPATIBLE,
                   "the CPU is incompatible with host CPU: host CPU vendor does not match required "
                   "CPU vendor AMD");
}

static void
test_match(void)
{
    HostCpu host = make_host(INTEL, "Westmere", "");
    g_autoptr(DomainDef) def = parse("", "<cpu match='minimum'><model>Nehalem</model></cpu>", "");
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_true(says(live, "match='exact'"));
    g_assert_true(says(live, "<feature policy='require' name='aes'/>"));
    assert_refused("<cpu match='strict'><model>Nehalem</model></cpu>", &host,
                   VIR_ERR_CPU_INCOMPATIBLE,
                   "the CPU is incompatible with host CPU: Host CPU does not strictly match guest "
                   "CPU: Extra features: x2apic, aes, hypervisor");
}

/* What the processor has and KVM does not give passes a partial check, as with libvirt. */
static void
test_full(void)
{
    HostCpu host = make_host(AMD, "phenom", "");
    g_autoptr(DomainDef) def = parse("", "<cpu><model>phenom</model></cpu>", "");
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_true(says(live, "<feature policy='disable' name='monitor'/>"));
    g_assert_false(says(live, "svm"));
    g_assert_true(says(vmm, "80000001.0:edx=e3d3fbfd/ffffffff")); /* AMD repeats leaf 1 */
    assert_refused("<cpu check='full'><model>phenom</model></cpu>", &host, VIR_ERR_CPU_INCOMPATIBLE,
                   "the CPU is incompatible with host CPU: Host CPU does not provide required "
                   "features: monitor");
}

static void
test_host_model(void)
{
    HostCpu host = make_host(AMD, "EPYC-Rome", "invtsc topoext xsaves");
    g_autoptr(DomainDef) def =
        parse("", "<cpu mode='host-model'><feature policy='disable' name='svm'/></cpu>", "");
    g_autofree char *defined = cpu_text(&def->cpu);
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_cmpstr(defined, ==,
                    "<cpu mode='host-model' check='partial'>\n"
                    "  <feature policy='disable' name='svm'/>\n"
                    "</cpu>\n");
    g_assert_cmpstr(live, ==,
                    "<cpu mode='custom' match='exact' check='full'>\n"
                    "  <model fallback='forbid'>EPYC-Rome</model>\n"
                    "  <vendor>AMD</vendor>\n"
                    "  <feature policy='require' name='hypervisor'/>\n"
                    "  <feature policy='require' name='topoext'/>\n"
                    "  <feature policy='require' name='x2apic'/>\n"
                    "  <feature policy='require' name='xsaves'/>\n"
                    "  <feature policy='disable' name='svm'/>\n"
                    "</cpu>\n");
    g_assert_true(says(vmm, " 1.0:eax=830f10/ffffffff "));
}

static void
assert_updated(const char *cpu, const HostCpu *host, const char *wanted)
{
    g_autoptr(DomainDef) def = parse("", cpu, "");
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    g_assert_true(guest_cpu_is_relative(&def->cpu));
    g_assert_true(guest_cpu_update(&def->cpu, host, &error));
    g_assert_no_error(error);
    text = cpu_text(&def->cpu);
    g_assert_cmpstr(text, ==, wanted);
    g_assert_false(guest_cpu_is_relative(&def->cpu));
}

/* VIR_DOMAIN_XML_UPDATE_CPU: what a definition comes to here. */
static void
test_update(void)
{
    HostCpu host = make_host(AMD, "EPYC-Rome", "invtsc topoext");
    HostCpu none = { .vendor_id = AMD };
    g_autoptr(DomainDef) def = parse("", "<cpu mode='host-model'/>", "");
    g_autoptr(GError) error = NULL;

    assert_updated("<cpu mode='host-model'><feature policy='disable' name='svm'/>"
                   "<feature policy='optional' name='vmx'/></cpu>",
                   &host,
                   "<cpu mode='custom' match='exact' check='partial'>\n"
                   "  <model fallback='forbid'>EPYC-Rome</model>\n"
                   "  <vendor>AMD</vendor>\n"
                   "  <feature policy='disable' name='svm'/>\n"
                   "  <feature policy='disable' name='vmx'/>\n"
                   "  <feature policy='require' name='hypervisor'/>\n"
                   "  <feature policy='require' name='topoext'/>\n"
                   "  <feature policy='require' name='x2apic'/>\n"
                   "</cpu>\n");
    assert_updated("<cpu match='minimum'><model>EPYC</model></cpu>", &host,
                   "<cpu mode='custom' match='exact' check='partial'>\n"
                   "  <model fallback='forbid'>EPYC-Rome</model>\n"
                   "  <feature policy='require' name='hypervisor'/>\n"
                   "  <feature policy='require' name='topoext'/>\n"
                   "  <feature policy='require' name='x2apic'/>\n"
                   "</cpu>\n");
    assert_updated("<cpu><model>EPYC</model><feature policy='optional' name='rdpid'/></cpu>", &host,
                   "<cpu mode='custom' match='exact' check='partial'>\n"
                   "  <model fallback='allow'>EPYC</model>\n"
                   "  <feature policy='require' name='rdpid'/>\n"
                   "</cpu>\n");
    g_assert_false(guest_cpu_update(&def->cpu, &none, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_cmpstr(error->message, ==, "unsupported configuration: unknown host CPU model");
}

static void
test_not_relative(void)
{
    static const char *const cpus[] = { "", "<cpu mode='host-passthrough'/>", "<cpu mode='maximum'/>",
                                        "<cpu><model>EPYC</model></cpu>",
                                        "<cpu><topology sockets='1' cores='1' threads='1'/></cpu>" };

    for (gsize i = 0; i < G_N_ELEMENTS(cpus); i++) {
        g_autoptr(DomainDef) def = parse("", cpus[i], "");

        g_assert_false(guest_cpu_is_relative(&def->cpu));
    }
}

/* It says that it is somebody else's. */
static void
test_host_model_vendor_id(void)
{
    HostCpu host = make_host(AMD, "EPYC-Rome", "");
    g_autoptr(DomainDef) def =
        parse("", "<cpu mode='host-model'><model vendor_id='KVMKVMKVMKVM'/></cpu>", "");
    g_autofree char *vmm = lower(def, &host), *live = cpu_text(&def->cpu);

    g_assert_true(
        says(live, "<model fallback='forbid' vendor_id='KVMKVMKVMKVM'>EPYC-Rome</model>"));
    g_assert_true(says(vmm, " 0.0:ebx=4b4d564b/ffffffff ")); /* "KVMK" */
}

static void
test_arch_capabilities(void)
{
    HostCpu host = make_host(INTEL, "Cooperlake", "ssb-no");
    g_autoptr(DomainDef) def = parse("", "<cpu><model>Cooperlake</model></cpu>", "");
    g_autofree char *vmm = lower(def, &host);

    /* rdctl-no, ibrs-all, skip-l1dfl-vmentry, mds-no, pschange-mc-no, taa-no; not ssb-no */
    g_assert_true(says(vmm, "10a=16b"));
}

/* AMD's processors have no such register; KVM emulates it. */
static void
test_arch_capabilities_amd(void)
{
    HostCpu host = make_host(AMD, "EPYC-Rome", "arch-capabilities rdctl-no");
    g_autoptr(DomainDef) model = parse("", "<cpu mode='host-model'/>", "");
    g_autoptr(DomainDef) asked = parse(
        "", "<cpu mode='host-passthrough'><feature policy='require' name='arch-capabilities'/></cpu>", "");
    g_autofree char *vmm = lower(model, &host), *live = cpu_text(&model->cpu);
    g_autofree char *vmm_asked = lower(asked, &host);

    g_assert_false(says(live, "arch-capabilities"));
    g_assert_false(says(live, "rdctl-no"));
    g_assert_false(says(vmm, "10a="));
    g_assert_true(says(vmm_asked, "7.0:edx=20000000/20000000"));
}

static void
test_passthrough(void)
{
    g_autoptr(DomainDef) on = parse("", "<cpu mode='host-passthrough'/>", "");
    g_autoptr(DomainDef) off = parse("", "<cpu mode='maximum' migratable='off'/>", "");
    g_autofree char *vmm_on = NULL, *vmm_off = NULL;

    g_assert_false(guest_cpu_needs_host(on));
    vmm_on = lower(on, NULL);
    vmm_off = lower(off, NULL);
    g_assert_true(says(vmm_on, "80000007.0:edx=0/100"));
    g_assert_false(says(vmm_off, "cpuid"));
    g_assert_false(says(vmm_off, "pmu"));
}

static void
test_passthrough_features(void)
{
    HostCpu host = make_host(AMD, "EPYC-Milan", "invtsc");
    g_autoptr(DomainDef) def = parse(
        "",
        "<cpu mode='host-passthrough'><feature policy='disable' name='svm'/>"
        "<feature policy='require' name='invtsc'/><maxphysaddr mode='emulate' bits='40'/></cpu>",
        "");
    g_autofree char *vmm = lower(def, &host);

    g_assert_true(says(vmm, "80000001.0:ecx=0/4 80000007.0:edx=100/100 80000008.0:eax=28/ff"));
    assert_refused("<cpu mode='host-passthrough'><maxphysaddr mode='emulate' bits='47'/></cpu>",
                   &host, VIR_ERR_CONFIG_UNSUPPORTED,
                   "unsupported configuration: the host's physical addresses have 46 bits, 47 are "
                   "not supported");
}

static void
test_kvm(void)
{
    g_autoptr(DomainDef) off =
        parse("<apic eoi='off'/><kvm><hidden state='on'/><poll-control state='off'/></kvm>"
              "<pvspinlock state='off'/><pmu state='off'/>",
              "<cpu><cache mode='disable'/></cpu>", "<timer name='kvmclock' present='no'/>");
    g_autoptr(DomainDef) on = parse("<kvm><hint-dedicated state='on'/></kvm><pmu/>",
                                    "<cpu mode='host-passthrough' migratable='off'/>", "");
    g_autofree char *vmm_off = lower(off, NULL), *vmm_on = lower(on, NULL);

    g_assert_true(says(vmm_off, "40000001.0:eax=0/10010c9"));
    g_assert_true(says(vmm_off, "kvm-leaves"));
    g_assert_true(says(vmm_off, "pmu"));
    g_assert_true(says(vmm_off, "none"));
    g_assert_true(says(vmm_on, "40000001.0:edx=1/1"));
    g_assert_false(says(vmm_on, "kvm-leaves") || says(vmm_on, "pmu"));
}

/* In Hyper-V's leaves what is on, and in KVM's, which are behind them then, what is off. */
static void
test_hyperv(void)
{
    g_autoptr(DomainDef) all =
        parse("<hyperv><relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/>"
              "<vpindex state='on'/><runtime state='on'/><synic state='on'/><reset state='on'/>"
              "<vendor_id state='on' value='abc'/><frequencies state='on'/></hyperv><pvspinlock state='off'/>",
              "", "<timer name='hypervclock' present='yes'/>");
    g_autoptr(DomainDef) clock = parse("", "", "<timer name='hypervclock' present='yes'/>");
    g_autoptr(DomainDef) off =
        parse("<hyperv><relaxed state='off'/></hyperv>", "", "<timer name='hypervclock' present='no'/>");
    g_autofree char *vmm_all = lower(all, NULL), *vmm_clock = lower(clock, NULL), *vmm_off = lower(off, NULL);

    g_assert_true(says(vmm_all, "hyperv-leaves") && says(vmm_all, "hyperv-synic"));
    g_assert_false(says(vmm_clock, "hyperv-synic"));
    g_assert_true(says(vmm_all, "40000000.0:eax=40000005/ffffffff 40000000.0:ebx=636261/ffffffff "
                                "40000000.0:ecx=0/ffffffff 40000000.0:edx=0/ffffffff "));
    g_assert_true(says(vmm_all, " 40000001.0:eax=31237648/ffffffff "));
    g_assert_true(says(vmm_all, " 40000003.0:eax=af7/ffffffff 40000003.0:edx=108/ffffffff "));
    g_assert_true(says(vmm_all, " 40000004.0:eax=28/ffffffff 40000004.0:ebx=1fff/ffffffff "));
    g_assert_true(says(vmm_all, "40000101.0:eax=0/80 "));
    g_assert_true(says(vmm_clock, "40000000.0:ebx=7263694d/ffffffff 40000000.0:ecx=666f736f/ffffffff "
                                  "40000000.0:edx=76482074/ffffffff "));
    g_assert_true(says(vmm_clock, " 40000003.0:eax=222/ffffffff 40000003.0:edx=8/ffffffff "));
    g_assert_true(says(vmm_clock, " 40000004.0:eax=0/ffffffff 40000004.0:ebx=ffffffff/ffffffff "));
    g_assert_false(says(vmm_off, "hyperv-leaves") || says(vmm_off, "4000000"));
}

/* virConnectCompareCPU */

static void
assert_compares(const HostCpu *host, const char *xml, int wanted)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(cpu_compare(host, xml, FALSE, &error), ==, wanted);
    g_assert_true((error != NULL) == (wanted == VIR_CPU_COMPARE_ERROR));
}

static void
assert_must(const HostCpu *host, const char *xml, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(cpu_compare(host, xml, TRUE, &error), ==, VIR_CPU_COMPARE_ERROR);
    g_assert_cmpint(error->code, ==, VIR_ERR_CPU_INCOMPATIBLE);
    g_assert_cmpstr(error->message, ==, text);
}

static void
test_compare(void)
{
    const HostCpu host = make_host(INTEL, "Haswell", "");

    assert_compares(&host, "<cpu><model>Haswell</model></cpu>", VIR_CPU_COMPARE_IDENTICAL);
    assert_compares(&host, "<cpu><model>Nehalem</model></cpu>", VIR_CPU_COMPARE_SUPERSET);
    assert_compares(&host, "<cpu match='strict'><model>Nehalem</model></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_compares(&host, "<cpu><model>Skylake-Server</model></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_compares(&host, "<cpu><arch>aarch64</arch><model>Nehalem</model></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_compares(&host, "<cpu><model>Nehalem</model><vendor>AMD</vendor></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_compares(&host, "<cpu><model>Nehalem</model><feature name='svm'/></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_compares(&host,
                    "<cpu><model>Nehalem</model><feature name='svm' policy='optional'/></cpu>",
                    VIR_CPU_COMPARE_SUPERSET);
    assert_compares(&host,
                    "<cpu><model>Nehalem</model><feature name='avx2' policy='forbid'/></cpu>",
                    VIR_CPU_COMPARE_INCOMPATIBLE);
    assert_must(&host, "<cpu><model>Nehalem</model><feature name='svm'/></cpu>",
                "the CPU is incompatible with host CPU: Host CPU does not provide required "
                "features: svm");
    for (const char *const *xml =
             (const char *const[]){
                 "nonsense", "<cpu/>", "<cpu><model>no such</model></cpu>", "<domain/>",
                 "<cpu><model>Nehalem</model><feature name='nope'/></cpu>", NULL };
         *xml; xml++)
        assert_compares(&host, *xml, VIR_CPU_COMPARE_ERROR);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-cpu/decode", test_decode);
    g_test_add_func("/guest-cpu/decode-less", test_decode_less);
    g_test_add_func("/guest-cpu/named", test_named);
    g_test_add_func("/guest-cpu/missing", test_missing);
    g_test_add_func("/guest-cpu/unchecked", test_unchecked);
    g_test_add_func("/guest-cpu/policies", test_policies);
    g_test_add_func("/guest-cpu/match", test_match);
    g_test_add_func("/guest-cpu/full", test_full);
    g_test_add_func("/guest-cpu/host-model", test_host_model);
    g_test_add_func("/guest-cpu/host-model/vendor-id", test_host_model_vendor_id);
    g_test_add_func("/guest-cpu/arch-capabilities", test_arch_capabilities);
    g_test_add_func("/guest-cpu/arch-capabilities-amd", test_arch_capabilities_amd);
    g_test_add_func("/guest-cpu/passthrough", test_passthrough);
    g_test_add_func("/guest-cpu/update", test_update);
    g_test_add_func("/guest-cpu/not-relative", test_not_relative);
    g_test_add_func("/guest-cpu/passthrough-features", test_passthrough_features);
    g_test_add_func("/guest-cpu/kvm", test_kvm);
    g_test_add_func("/guest-cpu/hyperv", test_hyperv);
    g_test_add_func("/guest-cpu/compare", test_compare);
    return g_test_run();
}
