/* SPDX-License-Identifier: Apache-2.0 */
/* A signal: axes of an accelerometer (ADXL345 and those of motion_sensor.h), analog pins, or a sensor of your own. */
#include "sdkconfig.h"

#include <stddef.h>

#include "candidate.h"
#include "input_signal.h"
#include "sampler.h"

#if CONFIG_TS_SIGNAL_ACCELEROMETER
#include "motion_sensor.h"
#include "motion_wires.h"

static motion_sensor sensor;

static int read_sample(int16_t *values)
{
    static const uint8_t axes[CANDIDATE_SIGNAL_AXES] = CANDIDATE_SIGNAL_PICK;
    int16_t all[3];
    if (motion_sensor_read(&sensor, all) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < CANDIDATE_SIGNAL_AXES; i++) {
        values[i] = all[axes[i]];
    }
    return 0;
}

static const char *open_sensor(void)
{
    const motion_settings settings = {
        .range_mg = CANDIDATE_SIGNAL_RANGE_MG,
        .range_mdps = 0,
        .rate_mhz = CANDIDATE_SIGNAL_RATE_MHZ,
        .axes = 3,
        .program = CANDIDATE_BMI270_CONFIG,
        .program_bytes = CANDIDATE_BMI270_CONFIG_BYTES,
    };
    const motion_bus *bus;
    if (CANDIDATE_SIGNAL_RANGE_MG == 0) {
        return "this signal is not accelerations x, y, z in g: choose its sensor (menuconfig)";
    }
    const char *problem = motion_wires_open(&bus);
    return problem != NULL ? problem : motion_sensor_open(&sensor, bus, &settings);
}
#elif CONFIG_TS_SIGNAL_ADC
#include "esp_adc/adc_oneshot.h"

enum { MIDDLE = 2048, TO_16_BITS = 16 };

static adc_oneshot_unit_handle_t unit;

/* Twelve bits about the middle of the range become sixteen; the axes are channels in a row. */
static int read_sample(int16_t *values)
{
    for (unsigned i = 0; i < CANDIDATE_SIGNAL_AXES; i++) {
        int raw;
        if (adc_oneshot_read(unit, (adc_channel_t)(CONFIG_TS_SIGNAL_ADC_CHANNEL + i), &raw) != ESP_OK) {
            return -1;
        }
        values[i] = (int16_t)((raw - MIDDLE) * TO_16_BITS);
    }
    return 0;
}

static const char *open_sensor(void)
{
    const adc_oneshot_unit_init_cfg_t config = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t channel = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_12};
    if (adc_oneshot_new_unit(&config, &unit) != ESP_OK) {
        return "the analog converter does not start";
    }
    for (unsigned i = 0; i < CANDIDATE_SIGNAL_AXES; i++) {
        if (adc_oneshot_config_channel(unit, (adc_channel_t)(CONFIG_TS_SIGNAL_ADC_CHANNEL + i), &channel) != ESP_OK) {
            return "an analog channel does not exist; check it (menuconfig)";
        }
    }
    return NULL;
}
#else
/* Where the driver of a sensor of your own goes: start it, and read one sample [CANDIDATE_SIGNAL_AXES] in the counts of the
 * task. Until then the device says that there is none. */
static int read_sample(int16_t *values)
{
    (void)values;
    return -1;
}

static const char *open_sensor(void)
{
    return "no driver was written for this signal; see main/signal.c";
}
#endif

static sampler samples = {.read = read_sample, .axes = CANDIDATE_SIGNAL_AXES};

const char *signal_open(void)
{
    const char *problem = open_sensor();
    return problem != NULL ? problem : sampler_start(&samples, CANDIDATE_SIGNAL_RATE_MHZ);
}

const char *signal_capture(const capture_target *target)
{
    return sampler_capture(&samples, target);
}

void signal_close(void)
{
    sampler_stop(&samples);
}
