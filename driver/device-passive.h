/* device-passive: devices that a document may name and this machine does not have.
 *
 * The policy table says which, and why the guest does without. They stay in the definition as they were
 * written, so that nothing of it is lost, and have no part in a guest: no alias, and nothing in the VMM.
 */
#pragma once

#include "driver/device.h"

struct _xmlNode;

/* In libvirt's order of formatting among the other kinds: controllers of buses that are not there,
 * smart cards, channels of SPICE, and what comes after the channels. */
extern const DeviceKind device_passive_controller, device_passive_smartcard,
    device_passive_channel, device_passive_input, device_passive_graphics, device_passive_sound,
    device_passive_audio, device_passive_video, device_passive_redirdev,
    device_passive_redirfilter, device_passive_hub, device_passive_watchdog;

/* Whether @dev has no part in a guest. */
gboolean device_is_passive(const Device *dev);
