/* SPDX-License-Identifier: Apache-2.0 */
/* Motion sensors by their registers, over whatever bus they are on: which one answers, how it is set, and its samples in
 * the counts that the networks were trained with (32768 are the range that the task names).
 *
 * Facts are of the data sheets: InvenSense RM-MPU-6000A rev. 4.2 (MPU-6050), ST DocID030071 (LSM6DS3TR-C), QST QMI8658A
 * rev. A, Analog Devices ADXL345 rev. G, Bosch BST-BMI270-DS000. A BMI270 works only after a program of Bosch's, 8 KiB, was
 * loaded into it, which is not ours to hand on: emit.bmi270_config=FILE takes it from a file of yours. By SPI (mode 3, bit 7
 * reads) the MPU-6050 does not speak; its sibling MPU-6000 says the same and does. */
#ifndef MOTION_SENSOR_H
#define MOTION_SENSOR_H

#include <stdint.h>

enum { MOTION_MOST_BYTES = 32 }; /* that are read or written at once */

/* 0, or -1 where nothing answers. wait_ms: at least so long. */
typedef struct {
    int (*read)(uint8_t address, uint8_t reg, uint8_t *bytes, unsigned count);
    int (*write)(uint8_t address, uint8_t reg, const uint8_t *bytes, unsigned count);
    void (*wait_ms)(unsigned ms);
    int spi; /* not I2C: some sensors then want a bit beside the register where several bytes are read */
} motion_bus;

/* What is wanted: thousandths of g and of degrees a second to either side, thousandths of a sample a second, 3 or 6 axes. */
typedef struct {
    uint32_t range_mg;
    uint32_t range_mdps;
    uint32_t rate_mhz;
    unsigned axes;
    const uint8_t *program; /* of the one sensor that wants one loaded; NULL: there is none */
    unsigned program_bytes;
} motion_settings;

typedef struct {
    const motion_bus *bus;
    const struct motion_chip *chip;
    uint8_t address;
    unsigned axes;
    int32_t acceleration_gain; /* Q16: the sensor's counts to ours */
    int32_t rate_gain;
} motion_sensor;

/* Looks for a sensor, sets it, reads back what was set, and looks whether it feels the earth. NULL, or why not. */
const char *motion_sensor_open(motion_sensor *sensor, const motion_bus *bus, const motion_settings *settings);

const char *motion_sensor_name(const motion_sensor *sensor);

/* One sample, ax ay az and wx wy wz. 0, or -1 where the sensor does not answer. */
int motion_sensor_read(const motion_sensor *sensor, int16_t *values);

#endif
