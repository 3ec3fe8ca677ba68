/* SPDX-License-Identifier: Apache-2.0 */
#include "motion_wires.h"

#include <stddef.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

static void wait_ms(unsigned ms)
{
    vTaskDelay(pdMS_TO_TICKS(ms) + 1);
}

#if CONFIG_TS_MOTION_SPI
#include "driver/spi_master.h"

enum { BUS_HZ = 2000000, READ = 0x80 };

static spi_device_handle_t device;

/* There is one device, whatever its address by I2C. */
static int exchange(uint8_t first, const uint8_t *out, uint8_t *in, unsigned count)
{
    uint8_t sent[MOTION_MOST_BYTES + 1] = {first}, received[MOTION_MOST_BYTES + 1];
    spi_transaction_t transaction = {.length = 8 * (count + 1), .tx_buffer = sent, .rx_buffer = received};
    if (count > MOTION_MOST_BYTES) {
        return -1;
    }
    if (out != NULL) {
        memcpy(sent + 1, out, count);
    }
    if (spi_device_polling_transmit(device, &transaction) != ESP_OK) {
        return -1;
    }
    if (in != NULL) {
        memcpy(in, received + 1, count);
    }
    return 0;
}

static int read_registers(uint8_t address, uint8_t reg, uint8_t *bytes, unsigned count)
{
    (void)address;
    return exchange(reg | READ, NULL, bytes, count);
}

static int write_registers(uint8_t address, uint8_t reg, const uint8_t *bytes, unsigned count)
{
    (void)address;
    return exchange(reg, bytes, NULL, count);
}

static int open_bus(void)
{
    const spi_bus_config_t wires = {
        .mosi_io_num = CONFIG_TS_MOTION_PIN_MOSI,
        .miso_io_num = CONFIG_TS_MOTION_PIN_MISO,
        .sclk_io_num = CONFIG_TS_MOTION_PIN_SCLK,
        .quadwp_io_num = -1,
        .quadhd_io_num = -1,
    };
    const spi_device_interface_config_t config = {
        .mode = 3,
        .clock_speed_hz = BUS_HZ,
        .spics_io_num = CONFIG_TS_MOTION_PIN_CS,
        .queue_size = 1,
    };
    return spi_bus_initialize(SPI2_HOST, &wires, SPI_DMA_DISABLED) == ESP_OK &&
                   spi_bus_add_device(SPI2_HOST, &config, &device) == ESP_OK
               ? 0
               : -1;
}

static const motion_bus wires = {read_registers, write_registers, wait_ms, 1};
#else
#include "driver/i2c_master.h"

enum { BUS_HZ = 400000, TIMEOUT_MS = 50, DEVICES = 4 };

static i2c_master_bus_handle_t bus;
static struct {
    uint8_t address;
    i2c_master_dev_handle_t handle;
} devices[DEVICES];
static unsigned device_count;

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

static int write_registers(uint8_t address, uint8_t reg, const uint8_t *bytes, unsigned count)
{
    uint8_t sent[MOTION_MOST_BYTES + 1] = {reg};
    const i2c_master_dev_handle_t to = device(address);
    if (to == NULL || count > MOTION_MOST_BYTES) {
        return -1;
    }
    memcpy(sent + 1, bytes, count);
    return i2c_master_transmit(to, sent, count + 1, TIMEOUT_MS) == ESP_OK ? 0 : -1;
}

static int open_bus(void)
{
    const i2c_master_bus_config_t config = {
        .i2c_port = -1,
        .sda_io_num = CONFIG_TS_MOTION_PIN_SDA,
        .scl_io_num = CONFIG_TS_MOTION_PIN_SCL,
        .clk_source = I2C_CLK_SRC_DEFAULT,
        .glitch_ignore_cnt = 7,
        .flags.enable_internal_pullup = true,
    };
    return i2c_new_master_bus(&config, &bus) == ESP_OK ? 0 : -1;
}

static const motion_bus wires = {read_registers, write_registers, wait_ms, 0};
#endif

const char *motion_wires_open(const motion_bus **opened)
{
    static int open;
    open = open || open_bus() == 0;
    *opened = &wires;
    return open ? NULL : "the bus of the motion sensor does not start; check pins (menuconfig)";
}
