/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/gpio.h"
#include "driver/rtc_io.h"
#include "esp_cpu.h"
#include "esp_heap_caps.h"
#include "esp_idf_version.h"
#include "esp_random.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"
#include "soc/soc_caps.h"
#if CONFIG_ESP_CONSOLE_UART
#include "driver/uart.h"
#include "driver/uart_vfs.h"
#elif CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
#include "driver/usb_serial_jtag.h"
#include "driver/usb_serial_jtag_vfs.h"
#endif

#include "line.h"
#include "port.h"

int64_t port_us(void)
{
    return esp_timer_get_time();
}

uint32_t port_cycles(void)
{
    return (uint32_t)esp_cpu_get_cycle_count();
}

uint32_t port_cycle_hz(void)
{
    return CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ * UINT32_C(1000000);
}

const char *port_chip(void)
{
    return CONFIG_IDF_TARGET;
}

void port_flash_open(void)
{
}

/* Boards whose USB plug leads to the chip itself have nothing on the UART. ESP-IDF prints on both, but reads one. Without a
 * driver for USB its reads return at once, and O_NONBLOCK would make them return nothing, ever: then ESP-IDF reads what the
 * driver says to have. */
#define ALSO_USB (CONFIG_ESP_CONSOLE_UART && CONFIG_ESP_CONSOLE_SECONDARY_USB_SERIAL_JTAG)
#if ALSO_USB
#include "driver/usb_serial_jtag_vfs.h"

static int usb = -1;
#endif

static int (*hidden)(const char *typed);

/* With the driver, stdin blocks and is buffered; without it, reads return at once. */
void port_console_open(int (*hides)(const char *typed))
{
    hidden = hides;
#if CONFIG_ESP_CONSOLE_UART
    ESP_ERROR_CHECK(uart_driver_install(CONFIG_ESP_CONSOLE_UART_NUM, 1024, 0, 0, NULL, 0));
    uart_vfs_dev_use_driver(CONFIG_ESP_CONSOLE_UART_NUM);
#if ALSO_USB
    if (usb_serial_jtag_vfs_register() == ESP_OK) {
        usb = open("/dev/usbserjtag", O_RDONLY);
    }
#endif
#elif CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG
    usb_serial_jtag_driver_config_t config = USB_SERIAL_JTAG_DRIVER_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
    usb_serial_jtag_vfs_use_driver();
#endif
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Waits for a byte, but not forever; whether there was one. */
static int read_byte(char *c)
{
#if ALSO_USB
    if (usb >= 0) {
        return read(usb, c, 1) == 1 || uart_read_bytes(CONFIG_ESP_CONSOLE_UART_NUM, c, 1, 1) == 1;
    }
#endif
    if (read(STDIN_FILENO, c, 1) == 1) {
        return 1;
    }
    vTaskDelay(1);
    return 0;
}

int port_getline(char *text, size_t size)
{
    line typed = {.text = text, .size = size};
    for (;;) {
        char c;
        if (!read_byte(&c)) {
            continue;
        }
        const char *echo;
        text[typed.length] = 0;
        const int length = line_take(&typed, c, hidden(text), &echo);
#if CONFIG_TS_ECHO
        fputs(echo, stdout);
        fflush(stdout);
#else
        (void)echo;
#endif
        if (length > 0) {
            return length;
        }
    }
}

void port_end(void)
{
    vTaskSuspend(NULL);
}

void port_figures(void)
{
    printf("heap free %u min %u largest %u spiram %u, main stack left %u\n",
           (unsigned)heap_caps_get_free_size(MALLOC_CAP_INTERNAL),
           (unsigned)heap_caps_get_minimum_free_size(MALLOC_CAP_INTERNAL),
           (unsigned)heap_caps_get_largest_free_block(MALLOC_CAP_INTERNAL),
           (unsigned)heap_caps_get_free_size(MALLOC_CAP_SPIRAM),
           (unsigned)uxTaskGetStackHighWaterMark(NULL));
}

void *port_memory(size_t size, int external)
{
    void *memory = external ? heap_caps_aligned_alloc(16, size, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT) : NULL;
    return memory != NULL ? memory : heap_caps_aligned_alloc(16, size, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
}

int port_random(void *bytes, size_t size)
{
    esp_fill_random(bytes, size);
    return 0;
}

static struct {
    gpio_num_t gpio;
    void (*pressed)(void);
} button;

static void watch_button(void *argument)
{
    int before = 1;
    (void)argument;
    for (;;) {
        const int level = gpio_get_level(button.gpio);
        if (before == 1 && level == 0) {
            button.pressed();
        }
        before = level;
        vTaskDelay(pdMS_TO_TICKS(30));
    }
}

int port_button_open(int gpio, void (*pressed)(void))
{
    if (!GPIO_IS_VALID_GPIO(gpio)) {
        return -1;
    }
    const gpio_config_t config = {
        .pin_bit_mask = UINT64_C(1) << gpio,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
        .pull_down_en = GPIO_PULLDOWN_DISABLE,
        .intr_type = GPIO_INTR_DISABLE,
    };
    button.gpio = (gpio_num_t)gpio;
    button.pressed = pressed;
    if (gpio_config(&config) != ESP_OK) {
        return -1;
    }
    return xTaskCreate(watch_button, "button", 6144, NULL, 2, NULL) == pdPASS ? 0 : -1;
}

int port_output_open(int gpio)
{
    if (!GPIO_IS_VALID_OUTPUT_GPIO(gpio)) {
        return -1;
    }
    const gpio_config_t config = {.pin_bit_mask = UINT64_C(1) << gpio, .mode = GPIO_MODE_OUTPUT};
    return gpio_config(&config) == ESP_OK && gpio_set_level((gpio_num_t)gpio, 0) == ESP_OK ? 0 : -1;
}

void port_output(int gpio, int level)
{
    gpio_set_level((gpio_num_t)gpio, level != 0);
}

int port_woken(void)
{
    return esp_reset_reason() == ESP_RST_DEEPSLEEP;
}

/* What a chip has for it in deep sleep differs; in light sleep any GPIO does. */
static esp_err_t wake_by_button(int deep, gpio_num_t gpio)
{
    if (!deep) {
        const esp_err_t err = gpio_wakeup_enable(gpio, GPIO_INTR_LOW_LEVEL);
        return err == ESP_OK ? esp_sleep_enable_gpio_wakeup() : err;
    }
#if SOC_PM_SUPPORT_EXT0_WAKEUP
    rtc_gpio_pullup_en(gpio);
    rtc_gpio_pulldown_dis(gpio);
    return esp_sleep_enable_ext0_wakeup(gpio, 0);
#elif SOC_PM_SUPPORT_EXT1_WAKEUP
    rtc_gpio_pullup_en(gpio);
    rtc_gpio_pulldown_dis(gpio);
    return esp_sleep_enable_ext1_wakeup_io(UINT64_C(1) << gpio, ESP_EXT1_WAKEUP_ANY_LOW);
#elif ESP_IDF_VERSION_MAJOR >= 6
    return esp_sleep_enable_gpio_wakeup_on_hp_periph_powerdown(UINT64_C(1) << gpio, ESP_GPIO_WAKEUP_GPIO_LOW);
#else
    return esp_deep_sleep_enable_gpio_wakeup(UINT64_C(1) << gpio, ESP_GPIO_WAKEUP_GPIO_LOW);
#endif
}

int port_sleep(int deep, int64_t ms, int gpio)
{
    esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_ALL);
    if ((ms < 0 && gpio < 0) || (ms >= 0 && esp_sleep_enable_timer_wakeup((uint64_t)ms * 1000) != ESP_OK)) {
        return -1;
    }
    if (gpio >= 0) {
        while (gpio_get_level((gpio_num_t)gpio) == 0) {
            vTaskDelay(1); /* still held down: it would wake at once */
        }
        if (wake_by_button(deep, (gpio_num_t)gpio) != ESP_OK) {
            return -1;
        }
    }
    fflush(stdout);
    vTaskDelay(pdMS_TO_TICKS(20)); /* what was printed leaves the console's FIFO */
    if (deep) {
        esp_deep_sleep_start();
    }
    return esp_light_sleep_start() == ESP_OK ? 0 : -1;
}
