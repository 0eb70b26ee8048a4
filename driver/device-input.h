/* device-input: <input> on bus 'ps2': the keyboard and the mouse that a q35 has at its keyboard controller, whether the
 * document names them or not. Those on other buses are device-passive's.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_input;
