/* SPDX-License-Identifier: Apache-2.0 */
#include "motion_sensor.h"

#include <stddef.h>
#include <string.h>

enum { AXES = 3, RANGES = 4, NONE = 0xFF, GAIN_BITS = 16, EARTHS = 8, LEAST_MG = 500, MOST_MG = 1500 };

/* A value that sets a range or a rate, and what it is: 32768 counts in thousandths of g or degrees a second, or thousandths
 * of a sample a second. */
typedef struct {
    uint8_t bits;
    uint32_t is;
} choice;

/* A register and what goes into it beside a choice. */
typedef struct {
    uint8_t reg;
    uint8_t value;
} setting;

struct motion_chip {
    const char *name;
    uint8_t addresses[2];
    uint8_t who_register, who;
    setting reset; /* NONE: there is none */
    setting first[2];
    uint8_t acceleration_register, acceleration_fixed;
    uint8_t rate_register, rate_fixed; /* of the gyroscope; NONE: it has none */
    choice acceleration[RANGES];
    choice turning[RANGES];
    uint8_t speed_register; /* NONE: the speed stands in the two registers above, too */
    uint8_t speed_fixed;
    setting turning_speed; /* the same for a gyroscope with a speed of its own; NONE: it has that of the accelerations */
    const choice *speeds;  /* increasing */
    unsigned speed_count;
    setting last; /* starts it */
    uint8_t needs_program;
    uint8_t idle_byte; /* by SPI: comes before what is read */
    uint8_t data_register, data_bytes;
    uint8_t acceleration_at, turning_at;
    uint8_t big_endian;
    uint8_t many; /* beside the register by SPI, where several bytes are read */
};

static const choice lsm6_speeds[] = {{0x20, 26000}, {0x30, 52000}, {0x40, 104000}, {0x50, 208000}, {0x60, 416000},
                                     {0x70, 833000}, {0x80, 1660000}};
static const choice qmi_speeds[] = {{0x07, 56000}, {0x06, 112000}, {0x05, 224000}, {0x04, 448000}, {0x03, 896000}};
static const choice adxl_speeds[] = {{0x09, 50000}, {0x0A, 100000}, {0x0B, 200000}, {0x0C, 400000}, {0x0D, 800000},
                                     {0x0E, 1600000}, {0x0F, 3200000}}; /* the last two by SPI alone */
static const choice bmi_speeds[] = {{0x06, 25000}, {0x07, 50000}, {0x08, 100000}, {0x09, 200000},
                                    {0x0A, 400000}, {0x0B, 800000}, {0x0C, 1600000}};
static const choice mpu_speeds[] = {{0x00, 1000000}}; /* the divider of its 1 kHz */

static const struct motion_chip chips[] = {
    {
        .name = "MPU-6050",
        .addresses = {0x68, 0x69},
        .who_register = 0x75,
        .who = 0x68,
        .reset = {0x6B, 0x80},
        .first = {{0x6B, 0x01}, {0x1A, 0x03}}, /* clock of the gyroscope; low pass of 44 Hz, 1 kHz inside */
        .acceleration_register = 0x1C,
        .rate_register = 0x1B,
        .acceleration = {{0x00, 2000}, {0x08, 4000}, {0x10, 8000}, {0x18, 16000}},
        .turning = {{0x00, 250000}, {0x08, 500000}, {0x10, 1000000}, {0x18, 2000000}},
        .speed_register = 0x19,
        .turning_speed = {NONE, 0},
        .speeds = mpu_speeds,
        .speed_count = 1,
        .last = {NONE, 0},
        .data_register = 0x3B,
        .data_bytes = 14,
        .turning_at = 8, /* a temperature lies between */
        .big_endian = 1,
    },
    {
        .name = "LSM6DS3TR-C",
        .addresses = {0x6A, 0x6B},
        .who_register = 0x0F,
        .who = 0x6A,
        .reset = {0x12, 0x01},
        .first = {{0x12, 0x44}, {NONE, 0}}, /* whole samples, addresses count up */
        .acceleration_register = 0x10,
        .rate_register = 0x11,
        /* 0.061 mg and 8.75 mdps a count, times powers of two */
        .acceleration = {{0x00, 1999}, {0x08, 3998}, {0x0C, 7995}, {0x04, 15991}},
        .turning = {{0x00, 286720}, {0x04, 573440}, {0x08, 1146880}, {0x0C, 2293760}},
        .speed_register = NONE,
        .turning_speed = {NONE, 0},
        .speeds = lsm6_speeds,
        .speed_count = sizeof lsm6_speeds / sizeof lsm6_speeds[0],
        .last = {NONE, 0},
        .data_register = 0x22,
        .data_bytes = 12,
        .acceleration_at = 6,
    },
    {
        .name = "QMI8658",
        .addresses = {0x6B, 0x6A},
        .who_register = 0x00,
        .who = 0x05,
        .reset = {0x60, 0xB0},
        .first = {{0x02, 0x40}, {NONE, 0}}, /* addresses count up, low byte first */
        .acceleration_register = 0x03,
        .rate_register = 0x04,
        .acceleration = {{0x00, 2000}, {0x10, 4000}, {0x20, 8000}, {0x30, 16000}},
        .turning = {{0x40, 256000}, {0x50, 512000}, {0x60, 1024000}, {0x70, 2048000}},
        .speed_register = NONE,
        .turning_speed = {NONE, 0},
        .speeds = qmi_speeds,
        .speed_count = sizeof qmi_speeds / sizeof qmi_speeds[0],
        .last = {0x08, 0x03},
        .data_register = 0x35,
        .data_bytes = 12,
        .turning_at = 6,
    },
    {
        .name = "BMI270",
        .addresses = {0x68, 0x69},
        .who_register = 0x00,
        .who = 0x24,
        .reset = {0x7E, 0xB6},
        .first = {{NONE, 0}, {NONE, 0}}, /* its program comes first */
        .acceleration_register = 0x41,
        .rate_register = 0x43,
        .acceleration = {{0x00, 2000}, {0x01, 4000}, {0x02, 8000}, {0x03, 16000}},
        .turning = {{0x03, 250000}, {0x02, 500000}, {0x01, 1000000}, {0x00, 2000000}},
        .speed_register = 0x40,
        .speed_fixed = 0xA0, /* normal filter, for precision */
        .turning_speed = {0x42, 0xE0},
        .speeds = bmi_speeds,
        .speed_count = sizeof bmi_speeds / sizeof bmi_speeds[0],
        .last = {0x7D, 0x06}, /* accelerations and rates on */
        .needs_program = 1,
        .idle_byte = 1,
        .data_register = 0x0C,
        .data_bytes = 12,
        .turning_at = 6,
    },
    {
        .name = "ADXL345",
        .addresses = {0x53, 0x1D},
        .who_register = 0x00,
        .who = 0xE5,
        .reset = {NONE, 0},
        .first = {{0x2D, 0x00}, {NONE, 0}},
        .acceleration_register = 0x31,
        .acceleration_fixed = 0x08, /* 256 counts are 1 g in every range */
        .rate_register = NONE,
        .acceleration = {{0x00, 128000}, {0x01, 128000}, {0x02, 128000}, {0x03, 128000}},
        .speed_register = 0x2C,
        .turning_speed = {NONE, 0},
        .speeds = adxl_speeds,
        .speed_count = sizeof adxl_speeds / sizeof adxl_speeds[0],
        .last = {0x2D, 0x08},
        .data_register = 0x32,
        .data_bytes = 6,
        .many = 0x40,
    },
};

static const uint32_t nominal_mg[RANGES] = {2000, 4000, 8000, 16000};
static const uint32_t nominal_mdps[RANGES] = {250000, 500000, 1000000, 2000000};

static int get(const motion_sensor *sensor, uint8_t reg, uint8_t *bytes, unsigned count)
{
    uint8_t read[MOTION_MOST_BYTES];
    const unsigned idle = sensor->bus->spi ? sensor->chip->idle_byte : 0;
    if (sensor->bus->read(sensor->address, reg, read, idle + count) != 0) {
        return -1;
    }
    memcpy(bytes, read + idle, count);
    return 0;
}

/* A sensor that says who it is: its chip, at the address it has; NULL where there is none. */
static const struct motion_chip *found(motion_sensor *sensor)
{
    for (unsigned c = 0; c < sizeof chips / sizeof chips[0]; c++) {
        for (unsigned a = 0; a < 2; a++) {
            uint8_t who = 0;
            sensor->chip = &chips[c];
            sensor->address = chips[c].addresses[a];
            if (get(sensor, chips[c].who_register, &who, 1) == 0 && who == chips[c].who) {
                return &chips[c];
            }
        }
    }
    return NULL;
}

static int put(const motion_sensor *sensor, uint8_t reg, uint8_t value)
{
    return sensor->bus->write(sensor->address, reg, &value, 1);
}

/* Sets a register, and looks whether it is set. */
static int keep(const motion_sensor *sensor, uint8_t reg, uint8_t value)
{
    uint8_t now = 0;
    if (reg == NONE) {
        return 0;
    }
    return put(sensor, reg, value) == 0 && get(sensor, reg, &now, 1) == 0 && now == value ? 0 : -1;
}

/* The smallest range that holds what is wanted, or RANGES. */
static unsigned range_for(const uint32_t *nominal, uint32_t wanted)
{
    unsigned range = 0;
    while (range < RANGES && nominal[range] < wanted) {
        range++;
    }
    return range;
}

static int32_t gain(uint32_t full, uint32_t wanted)
{
    return (int32_t)((((uint64_t)full << GAIN_BITS) + wanted / 2) / wanted);
}

/* The value that sets the speed, at least what is wanted; the MPU-6050's divides its 1 kHz. */
static uint8_t speed_for(const struct motion_chip *chip, uint32_t rate_mhz)
{
    unsigned s = 0;
    if (chip->speeds == mpu_speeds) {
        const uint32_t divider = mpu_speeds[0].is / (rate_mhz > 4000 ? rate_mhz : 4000);
        return (uint8_t)(divider > 0 ? divider - 1 : 0);
    }
    while (s + 1 < chip->speed_count && chip->speeds[s].is < rate_mhz) {
        s++;
    }
    return chip->speeds[s].bits;
}

/* BMI270: where its program goes to, in words of two bytes, and what says whether it runs. */
enum {
    BMI_STATUS = 0x21,
    BMI_RUNS = 0x01,
    BMI_LOAD = 0x59,
    BMI_PLACE = 0x5B, /* four bits of the word's number, and the other eight in the next register */
    BMI_DATA = 0x5E,
    BMI_POWER_SAVE = 0x7C,
    START_MS = 20,
    STARTS = 8,
};

/* Loads the program and starts it. NULL, or why not. */
static const char *start_program(const motion_sensor *sensor, const motion_settings *settings)
{
    uint8_t status = 0;
    if (settings->program == NULL) {
        return "a BMI270 needs its program of Bosch's: emit the project with emit.bmi270_config=FILE";
    }
    (void)get(sensor, sensor->chip->who_register, &status, 1); /* by SPI the first access after a reset only chooses SPI */
    int failed = put(sensor, BMI_POWER_SAVE, 0);
    sensor->bus->wait_ms(2);
    failed |= put(sensor, BMI_LOAD, 0);
    for (unsigned at = 0; at < settings->program_bytes && !failed; at += MOTION_MOST_BYTES) {
        const unsigned left = settings->program_bytes - at;
        const uint8_t place[] = {(uint8_t)(at / 2 & 0x0F), (uint8_t)(at / 2 >> 4)};
        failed |= sensor->bus->write(sensor->address, BMI_PLACE, place, sizeof place);
        failed |= sensor->bus->write(sensor->address, BMI_DATA, settings->program + at,
                                     left < MOTION_MOST_BYTES ? left : MOTION_MOST_BYTES);
    }
    failed |= put(sensor, BMI_LOAD, 1);
    for (unsigned i = 0; i < STARTS && !failed; i++) {
        sensor->bus->wait_ms(START_MS);
        failed = get(sensor, BMI_STATUS, &status, 1);
        if ((status & 0x0F) == BMI_RUNS) {
            return NULL;
        }
    }
    return failed ? "the motion sensor does not answer" : "the BMI270 does not start its program: is it the right one?";
}

static const char *set(motion_sensor *sensor, const motion_settings *settings)
{
    const struct motion_chip *chip = sensor->chip;
    const unsigned near = range_for(nominal_mg, settings->range_mg), fast = range_for(nominal_mdps, settings->range_mdps);
    if (near == RANGES || (sensor->axes > AXES && fast == RANGES)) {
        return "the motion sensor has no such range";
    }
    const uint8_t speed = speed_for(chip, settings->rate_mhz), shared = chip->speed_register == NONE ? speed : 0;
    if (chip->reset.reg != NONE) {
        if (put(sensor, chip->reset.reg, chip->reset.value) != 0) {
            return "the motion sensor does not take its settings";
        }
        sensor->bus->wait_ms(100);
    }
    const char *problem = chip->needs_program ? start_program(sensor, settings) : NULL;
    if (problem != NULL) {
        return problem;
    }
    const setting order[] = {
        chip->first[0],
        chip->first[1],
        {chip->acceleration_register, (uint8_t)(chip->acceleration_fixed | chip->acceleration[near].bits | shared)},
        {chip->rate_register, (uint8_t)(chip->rate_fixed | chip->turning[fast % RANGES].bits | shared)},
        {chip->speed_register, (uint8_t)(chip->speed_fixed | speed)},
        {chip->turning_speed.reg, (uint8_t)(chip->turning_speed.value | speed)},
        chip->last,
    };
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (keep(sensor, order[i].reg, order[i].value) != 0) {
            return "the motion sensor does not take its settings";
        }
    }
    sensor->acceleration_gain = gain(chip->acceleration[near].is, settings->range_mg);
    sensor->rate_gain = sensor->axes > AXES ? gain(chip->turning[fast].is, settings->range_mdps) : 0;
    return NULL;
}

/* At rest a sensor feels 1 g, whichever way it lies; moved by a hand about that. NULL, or what is wrong. */
static const char *feels_the_earth(const motion_sensor *sensor, uint32_t range_mg)
{
    uint64_t squares = 0;
    for (unsigned i = 0; i < EARTHS; i++) {
        int16_t values[2 * AXES];
        sensor->bus->wait_ms(40);
        if (motion_sensor_read(sensor, values) != 0) {
            return "the motion sensor does not answer";
        }
        for (unsigned axis = 0; axis < AXES; axis++) {
            const int64_t mg = (int64_t)values[axis] * range_mg / 32768;
            squares += (uint64_t)(mg * mg);
        }
    }
    squares /= EARTHS;
    return squares >= (uint64_t)LEAST_MG * LEAST_MG && squares <= (uint64_t)MOST_MG * MOST_MG
               ? NULL
               : "the motion sensor does not feel 1 g: does it lie still, and is it the one that it says?";
}

const char *motion_sensor_open(motion_sensor *sensor, const motion_bus *bus, const motion_settings *settings)
{
    sensor->bus = bus;
    sensor->axes = settings->axes;
    sensor->chip = found(sensor);
    if (sensor->chip == NULL) {
        return "no motion sensor that is known says who it is; check wiring and pins (menuconfig)";
    }
    if (sensor->axes > AXES && sensor->chip->rate_register == NONE) {
        return "this motion sensor has no gyroscope, which the network needs";
    }
    const char *problem = set(sensor, settings);
    return problem != NULL ? problem : feels_the_earth(sensor, settings->range_mg);
}

const char *motion_sensor_name(const motion_sensor *sensor)
{
    return sensor->chip->name;
}

static int16_t scaled(const uint8_t *bytes, int big_endian, int32_t by)
{
    const int16_t raw = (int16_t)(big_endian ? bytes[0] << 8 | bytes[1] : bytes[1] << 8 | bytes[0]);
    const int64_t value = ((int64_t)raw * by + (1 << (GAIN_BITS - 1))) >> GAIN_BITS;
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

int motion_sensor_read(const motion_sensor *sensor, int16_t *values)
{
    const struct motion_chip *chip = sensor->chip;
    uint8_t bytes[MOTION_MOST_BYTES];
    const uint8_t reg = (uint8_t)(chip->data_register | (sensor->bus->spi ? chip->many : 0));
    if (get(sensor, reg, bytes, chip->data_bytes) != 0) {
        return -1;
    }
    for (unsigned axis = 0; axis < AXES; axis++) {
        values[axis] = scaled(bytes + chip->acceleration_at + 2 * axis, chip->big_endian, sensor->acceleration_gain);
        if (sensor->axes > AXES) {
            values[AXES + axis] = scaled(bytes + chip->turning_at + 2 * axis, chip->big_endian, sensor->rate_gain);
        }
    }
    return 0;
}
