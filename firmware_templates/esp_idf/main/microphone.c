/* SPDX-License-Identifier: Apache-2.0 */
/* A microphone at 16 kHz: I2S (INMP441 and the like, 24 bits in 32-bit slots), or PDM where the chip turns it into PCM. */
#include "sdkconfig.h"

#include <string.h>

#include "candidate.h"
#include "input_microphone.h"

#if CONFIG_IDF_TARGET_LINUX

const char *microphone_open(void)
{
    return "linux has no microphone";
}

const char *microphone_capture(const capture_target *target)
{
    (void)target;
    return "linux has no microphone";
}

void microphone_close(void)
{
}

#else

#include "driver/i2s_pdm.h"
#include "driver/i2s_std.h"
#include "esp_attr.h"
#include "soc/soc_caps.h"

enum { RATE_HZ = 16000, CHUNK = 256, SETTLE = 4096, TIMEOUT_MS = 1000, DMA_FRAMES = 512 };

/* Where the first controller is the camera's, and PDM can be received by no other, another microphone has the second. */
#if CANDIDATE_PDM_BY_TURNS && !CONFIG_TS_MICROPHONE_PDM
enum { CONTROLLER = I2S_NUM_1 };
#else
enum { CONTROLLER = I2S_NUM_0 };
#endif

#if CONFIG_TS_MICROPHONE_PDM
typedef int16_t raw_sample;
#else
typedef int32_t raw_sample;
#endif

static i2s_chan_handle_t channel;
static int opened;
static volatile int lost; /* whether samples were overwritten before they were read */

static esp_err_t start(void)
{
#if CONFIG_TS_MICROPHONE_PDM
#if SOC_I2S_SUPPORTS_PDM_RX
    const i2s_pdm_rx_config_t config = {
        .clk_cfg = I2S_PDM_RX_CLK_DEFAULT_CONFIG(RATE_HZ),
        .slot_cfg = I2S_PDM_RX_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_MONO),
        .gpio_cfg = {.clk = CONFIG_TS_MICROPHONE_PIN_CLOCK, .din = CONFIG_TS_MICROPHONE_PIN_DATA},
    };
    return i2s_channel_init_pdm_rx_mode(channel, &config);
#else
    return ESP_ERR_NOT_SUPPORTED;
#endif
#else
    const i2s_std_config_t config = {
        .clk_cfg = I2S_STD_CLK_DEFAULT_CONFIG(RATE_HZ),
        .slot_cfg = I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_MONO),
        .gpio_cfg = {
            .mclk = I2S_GPIO_UNUSED,
            .bclk = CONFIG_TS_MICROPHONE_PIN_CLOCK,
            .ws = CONFIG_TS_MICROPHONE_PIN_WORD,
            .dout = I2S_GPIO_UNUSED,
            .din = CONFIG_TS_MICROPHONE_PIN_DATA,
        },
    };
    return i2s_channel_init_std_mode(channel, &config);
#endif
}

static bool IRAM_ATTR overrun(i2s_chan_handle_t handle, i2s_event_data_t *event, void *context)
{
    (void)handle;
    (void)event;
    (void)context;
    lost = 1;
    return false;
}

/* Room for what comes in while a stream computes: a hop, and a little. */
static void size_buffers(i2s_chan_config_t *config)
{
    for (unsigned b = 0; b < CANDIDATE_BRANCHES; b++) {
        const uint32_t wanted = candidate_kinds[b] == &input_microphone ? candidate_hops[b] / DMA_FRAMES + 2 : 0;
        if (wanted > config->dma_desc_num) {
            config->dma_desc_num = wanted;
            config->dma_frame_num = DMA_FRAMES;
        }
    }
}

const char *microphone_open(void)
{
    const i2s_event_callbacks_t callbacks = {.on_recv_q_ovf = overrun};
    i2s_chan_config_t config = I2S_CHANNEL_DEFAULT_CONFIG(CONTROLLER, I2S_ROLE_MASTER);
    size_buffers(&config);
    if (i2s_new_channel(&config, NULL, &channel) != ESP_OK) {
        return "no I2S channel";
    }
    if (start() != ESP_OK || i2s_channel_register_event_callback(channel, &callbacks, NULL) != ESP_OK ||
        i2s_channel_enable(channel) != ESP_OK) {
        i2s_del_channel(channel);
        return "the I2S channel does not start; check pins and microphone type (menuconfig)";
    }
    opened = 1;
    return NULL;
}

/* Reads count samples; drops them where clip is NULL. 0, or -1. */
static int read_samples(int16_t *clip, uint32_t count)
{
    static raw_sample chunk[CHUNK];
    while (count > 0) {
        const uint32_t want = count < CHUNK ? count : CHUNK;
        size_t got = 0;
        if (i2s_channel_read(channel, chunk, want * sizeof chunk[0], &got, TIMEOUT_MS) != ESP_OK || got == 0) {
            return -1;
        }
        const uint32_t samples = (uint32_t)(got / sizeof chunk[0]);
        for (uint32_t i = 0; clip != NULL && i < samples; i++) {
#if CONFIG_TS_MICROPHONE_PDM
            *clip++ = chunk[i];
#else
            const int32_t value = chunk[i] >> CONFIG_TS_MICROPHONE_SHIFT;
            *clip++ = (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
#endif
        }
        count -= samples;
    }
    return 0;
}

/* A clip from now on. What waits in the DMA buffers is old, and a microphone needs a moment. */
static int read_anew(int16_t *clip, uint32_t samples)
{
    const int failed = read_samples(NULL, SETTLE);
    lost = 0;
    return failed != 0 ? failed : read_samples(clip, samples);
}

const char *microphone_capture(const capture_target *target)
{
    int16_t *clip = microphone_clip(target->branch);
    const uint32_t samples = microphone_samples(target->branch), hop = candidate_hops[target->branch];
    int failed;
    if (!opened) {
        return "the microphone did not start";
    }
    if (target->window > 0 && hop < samples && !lost) {
        memmove(clip, clip + hop, (samples - hop) * sizeof clip[0]);
        failed = read_samples(clip + samples - hop, hop); /* some of it came while the network ran */
    } else {
        failed = read_anew(clip, samples);
    }
    return failed != 0 ? "the microphone gave no samples" : microphone_sound(target);
}

void microphone_close(void)
{
    opened = 0;
    i2s_channel_disable(channel);
    i2s_del_channel(channel);
}

#endif
