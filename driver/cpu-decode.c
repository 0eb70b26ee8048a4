#include "driver/cpu-decode.h"

#include <string.h>

/* How well a model describes a set of features. */
typedef struct Fit {
    const CpuModel *model;
    gboolean same_processor; /* by family and model */
    guint less;              /* features of the model that are missing */
    guint penalty;           /* for these */
    guint cost;              /* with those beside the model's */
} Fit;

/* As libvirt, whose choice it is to be: each of the first half of what is missing counts for one more than the one
 * before, beginning with two, the others for one. */
static void
weigh(Fit *fit, guint more)
{
    guint dear = (fit->less + 1) / 2;

    fit->penalty = dear * (dear + 3) / 2;
    fit->cost = more + fit->less - dear + fit->penalty;
}

/* A guest is told to do without what its model had once, too. */
static Fit
fit_of(const CpuModel *model, const CpuBits *bits, const CpuSignature *processor, gboolean guest)
{
    CpuBits more = *bits, less;
    Fit fit;

    cpu_model_bits(model, &less);
    cpu_bits_remove(&more, &less);
    cpu_bits_remove(&less, bits);
    fit = (Fit){ model, processor && cpu_model_is(model, processor), cpu_bits_count(&less) };
    if (guest && model->removed && !cpu_bits_have(bits, model->removed))
        fit.less++;
    weigh(&fit, cpu_bits_count(&more));
    return fit;
}

/* The processor's own family and model before anything else, then the cheaper description, then the one that is
 * punished less. */
static gboolean
is_better(const Fit *fit, const Fit *than)
{
    if (!than->model || fit->same_processor != than->same_processor)
        return !than->model || fit->same_processor;
    return fit->cost != than->cost ? fit->cost < than->cost : fit->penalty < than->penalty;
}

const CpuModel *
cpu_decode(const CpuBits *bits, const char *vendor, const CpuSignature *processor, guint unfit)
{
    gboolean guest = !(unfit & CPU_NOT_HOST);
    Fit best = { NULL };

    for (gsize i = cpu_n_models; i-- > 0;) {
        const CpuModel *model = &cpu_models[i];
        Fit fit;

        if (model->flags & unfit || (model->vendor && vendor && strcmp(model->vendor, vendor) != 0))
            continue;
        fit = fit_of(model, bits, processor, guest);
        if ((guest || fit.less == 0) && is_better(&fit, &best))
            best = fit;
    }
    return best.model;
}
