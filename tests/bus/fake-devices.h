/* fake-devices: what a fake VMM has on PCI: no device does anything but answer as a VMM's would.
 *
 * A word of the guest's command line tells how the guest deals with them:
 *     fake=agent...        opens the first port of each virtio-serial controller as soon as it runs: see fake-agent.h
 *     fake=keep-devices    never lets go of a device
 *     fake=no-balloon      never gives back RAM
 *     fake=resize-full     the host has no room for a disk that is to grow
 *     fake=resize-mute     a disk grows, but nobody is told that it is done
 */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <stdbool.h>

typedef struct FakeDevices FakeDevices;

/* Tells the driver: takes @event over. */
typedef void (*FakeTell)(void *data, VmmMsg *event);

FakeDevices *fake_devices_new(FakeTell tell, void *data);
/* How the guest behaves; @behaves answers for a word. */
typedef bool (*FakeBehaves)(void *data, const char *word);
void fake_devices_set_guest(FakeDevices *devices, FakeBehaves behaves);

/* Each answers NULL, or a text that says what is wrong; telling fills in @reply. */
const char *fake_devices_add(FakeDevices *devices, VmmMsg *request);
const char *fake_devices_remove(FakeDevices *devices, VmmMsg *request);
const char *fake_devices_tell(FakeDevices *devices, VmmMsg *request, VmmMsg *reply);
/* Whether one of them names that I/O thread. */
bool fake_devices_use_iothread(const FakeDevices *devices, uint64_t iothread);
/* The guest runs for the first time. */
void fake_devices_boot(FakeDevices *devices);
/* What its agent has to say, see fake-agent.h; -1: there is none. */
int fake_devices_agent(const FakeDevices *devices);
/* The guest starts over. */
void fake_devices_reset(FakeDevices *devices);
/* What is told of devices that go, or have changed, after the reply. */
void fake_devices_settle(FakeDevices *devices);
/* The host has no room for what disks write, of each of which it is said with that @action; NULL: it has room again. */
void fake_devices_fill(FakeDevices *devices, const char *action);
