/* SPDX-License-Identifier: Apache-2.0 */
/* The bus that a motion sensor or accelerometer is on: I2C or SPI, by menuconfig. */
#ifndef MOTION_WIRES_H
#define MOTION_WIRES_H

#include "motion_sensor.h"

/* Opens the bus, once. NULL, or why not. */
const char *motion_wires_open(const motion_bus **bus);

#endif
