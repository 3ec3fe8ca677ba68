/* SPDX-License-Identifier: Apache-2.0 */
/* A motion sensor by I2C: sampled by a timer, so that a stream loses nothing while its network computes. */
#include "sdkconfig.h"

#include <stdint.h>
#include <string.h>

#include "candidate.h"
#include "driver/i2c_master.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/stream_buffer.h"
#include "freertos/task.h"
#include "input_motion.h"
#include "motion_sensor.h"

enum { BUS_HZ = 400000, TIMEOUT_MS = 50, MOST_AXES = 6, KEPT_SAMPLES = 64, WAIT_MS = 2000, DEVICES = 4 };

static i2c_master_bus_handle_t bus;
static struct {
    uint8_t address;
    i2c_master_dev_handle_t handle;
} devices[DEVICES];
static unsigned device_count;
static motion_sensor sensor;
static esp_timer_handle_t timer;
static StreamBufferHandle_t samples; /* from the timer's task to the one that captures */
static volatile int lost;            /* whether a sample found no room, or the sensor was silent */
static int opened;

/* The device of an address, opened once; NULL where there is none. */
static i2c_master_dev_handle_t device(uint8_t address)
{
    for (unsigned i = 0; i < device_count; i++) {
        if (devices[i].address == address) {
            return devices[i].handle;
        }
    }
    const i2c_device_config_t config = {
        .dev_addr_length = I2C_ADDR_BIT_LEN_7,
        .device_address = address,
        .scl_speed_hz = BUS_HZ,
    };
    if (device_count == DEVICES || i2c_master_probe(bus, address, TIMEOUT_MS) != ESP_OK ||
        i2c_master_bus_add_device(bus, &config, &devices[device_count].handle) != ESP_OK) {
        return NULL;
    }
    devices[device_count].address = address;
    return devices[device_count++].handle;
}

static int read_registers(uint8_t address, uint8_t reg, uint8_t *bytes, unsigned count)
{
    const i2c_master_dev_handle_t from = device(address);
    return from != NULL && i2c_master_transmit_receive(from, &reg, 1, bytes, count, TIMEOUT_MS) == ESP_OK ? 0 : -1;
}

static int write_register(uint8_t address, uint8_t reg, uint8_t value)
{
    const uint8_t bytes[] = {reg, value};
    const i2c_master_dev_handle_t to = device(address);
    return to != NULL && i2c_master_transmit(to, bytes, sizeof bytes, TIMEOUT_MS) == ESP_OK ? 0 : -1;
}

static void wait_ms(unsigned ms)
{
    vTaskDelay(pdMS_TO_TICKS(ms) + 1);
}

static void sample(void *argument)
{
    int16_t values[MOST_AXES];
    const size_t size = sensor.axes * sizeof values[0];
    (void)argument;
    if (motion_sensor_read(&sensor, values) != 0 || xStreamBufferSpacesAvailable(samples) < size) {
        lost = 1;
    } else {
        xStreamBufferSend(samples, values, size, 0);
    }
}

static const char *start(void)
{
    static const motion_bus wires = {read_registers, write_register, wait_ms};
    const motion_settings settings = {
        .range_mg = CANDIDATE_MOTION_RANGE_MG,
        .range_mdps = CANDIDATE_MOTION_RANGE_MDPS,
        .rate_mhz = CANDIDATE_MOTION_RATE_MHZ,
        .axes = CANDIDATE_MOTION_AXES,
    };
    const esp_timer_create_args_t every = {.callback = sample, .name = "motion"};
    const char *problem = motion_sensor_open(&sensor, &wires, &settings);
    if (problem != NULL) {
        return problem;
    }
    samples = xStreamBufferCreate(KEPT_SAMPLES * sensor.axes * sizeof(int16_t), sensor.axes * sizeof(int16_t));
    if (samples == NULL || esp_timer_create(&every, &timer) != ESP_OK ||
        esp_timer_start_periodic(timer, UINT64_C(1000000000) / CANDIDATE_MOTION_RATE_MHZ) != ESP_OK) {
        return "no memory to sample the motion sensor";
    }
    return NULL;
}

const char *motion_open(void)
{
    const i2c_master_bus_config_t config = {
        .i2c_port = -1,
        .sda_io_num = CONFIG_TS_MOTION_PIN_SDA,
        .scl_io_num = CONFIG_TS_MOTION_PIN_SCL,
        .clk_source = I2C_CLK_SRC_DEFAULT,
        .glitch_ignore_cnt = 7,
        .flags.enable_internal_pullup = true,
    };
    if (i2c_new_master_bus(&config, &bus) != ESP_OK) {
        return "the I2C bus does not start; check pins (menuconfig)";
    }
    const char *problem = start();
    opened = problem == NULL;
    return problem;
}

/* Reads so many samples as they come. 0, or -1. */
static int read_samples(int16_t *values, uint32_t count)
{
    const size_t size = sensor.axes * sizeof values[0];
    for (uint32_t i = 0; i < count; i++, values += sensor.axes) {
        if (xStreamBufferReceive(samples, values, size, pdMS_TO_TICKS(WAIT_MS)) != size) {
            return -1;
        }
    }
    return 0;
}

/* What waited is old. */
static void forget(void)
{
    int16_t values[MOST_AXES];
    while (xStreamBufferReceive(samples, values, sensor.axes * sizeof values[0], 0) > 0) {
    }
    lost = 0;
}

const char *motion_capture(const capture_target *target)
{
    capture_target wanted = *target;
    int16_t *first;
    if (!opened) {
        return "the motion sensor did not start";
    }
    if (target->window <= 0 || lost) {
        wanted.window = 0; /* a whole window, after a gap, too */
        forget();
    }
    const uint32_t count = window_advance(&wanted, &first);
    return read_samples(first, count) != 0 ? "the motion sensor gave no samples" : window_image(target);
}

void motion_close(void)
{
    opened = 0;
    esp_timer_stop(timer);
}
