/* What the driver asks of a guest's RAM: machine.c has the rest of its side. */
#include "qemu-kvm-backend/machine-private.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <stdlib.h>

#define STEP     (16ull << 20) /* bytes that are moved before others have their turn */
#define PAUSE_MS 1

typedef struct MachineMove {
    Machine *machine;
    LoopSource *timer;
    uint64_t offset;
} MachineMove;

void
machine_move_stop(Machine *m)
{
    if (!m->move)
        return;
    loop_source_free(m->move->timer);
    free(m->move);
    m->move = NULL;
}

/* A page that cannot be moved, for somebody else has it too, stays where it is; that is no failure. */
static void
move_some(void *data, uint32_t events)
{
    MachineMove *move = data;
    Machine *m = move->machine;
    Memory *memory = hardware_memory(m->hw);
    VmmError err;

    if (!memory_move(memory, &m->config.ram.nodes, move->offset, STEP, &err)) {
        log_line("%s; what is elsewhere stays there", err.text);
        machine_move_stop(m);
        return;
    }
    move->offset += STEP;
    if (move->offset < memory_size(memory))
        loop_timer_set(move->timer, PAUSE_MS);
    else
        machine_move_stop(m);
}

static void
move_start(Machine *m)
{
    machine_move_stop(m);
    m->move = vmm_must(calloc(1, sizeof(*m->move)));
    m->move->machine = m;
    m->move->timer = loop_add_timer(m->loop, move_some, m->move);
    loop_timer_set(m->move->timer, PAUSE_MS);
}

bool
machine_set_memory_nodes(Machine *m, VmmMsg *msg, VmmError *err)
{
    MemoryNodes nodes = { 0 };

    if (!m->hw)
        return vmm_error(err, VMM_ERROR_STATE, "set-memory-nodes: there is no machine yet");
    if (!machine_nodes_read(&nodes, msg, err))
        return false;
    if (!memory_nodes_are_said(&nodes))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "set-memory-nodes: the bytes 'ram-nodes' are missing");
    if (!memory_bind(hardware_memory(m->hw), &nodes, err))
        return false;
    m->config.ram.nodes = nodes;
    move_start(m);
    return true;
}
