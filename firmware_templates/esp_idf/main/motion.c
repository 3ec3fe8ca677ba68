/* SPDX-License-Identifier: Apache-2.0 */
/* A motion sensor: accelerations and rates of turning. */
#include <stddef.h>

#include "candidate.h"
#include "input_motion.h"
#include "motion_sensor.h"
#include "motion_wires.h"
#include "sampler.h"

static motion_sensor sensor;

static int read_sample(int16_t *values)
{
    return motion_sensor_read(&sensor, values);
}

static sampler samples = {.read = read_sample, .axes = CANDIDATE_MOTION_AXES};

const char *motion_open(void)
{
    const motion_settings settings = {
        .range_mg = CANDIDATE_MOTION_RANGE_MG,
        .range_mdps = CANDIDATE_MOTION_RANGE_MDPS,
        .rate_mhz = CANDIDATE_MOTION_RATE_MHZ,
        .axes = CANDIDATE_MOTION_AXES,
        .program = CANDIDATE_BMI270_CONFIG,
        .program_bytes = CANDIDATE_BMI270_CONFIG_BYTES,
    };
    const motion_bus *bus;
    const char *problem = motion_wires_open(&bus);
    if (problem == NULL) {
        problem = motion_sensor_open(&sensor, bus, &settings);
    }
    return problem != NULL ? problem : sampler_start(&samples, CANDIDATE_MOTION_RATE_MHZ);
}

const char *motion_capture(const capture_target *target)
{
    return sampler_capture(&samples, target);
}

void motion_close(void)
{
    sampler_stop(&samples);
}
