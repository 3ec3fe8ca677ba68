/* SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/stream_buffer.h"
#include "window.h"

enum { KEPT_MS = 1300, LEAST_KEPT = 64, WAIT_MS = 2000 };

static size_t size_of(const sampler *from)
{
    return from->axes * sizeof(int16_t);
}

static void sample(void *argument)
{
    sampler *from = argument;
    int16_t values[SAMPLER_MOST_AXES];
    if (from->read(values) != 0 || xStreamBufferSpacesAvailable(from->kept) < size_of(from)) {
        from->lost = 1;
    } else {
        xStreamBufferSend(from->kept, values, size_of(from), 0);
    }
}

const char *sampler_start(sampler *from, uint32_t rate_mhz)
{
    const esp_timer_create_args_t every = {.callback = sample, .arg = from, .name = "sampler"};
    const uint32_t waiting = (uint32_t)((uint64_t)rate_mhz * KEPT_MS / 1000000);
    const size_t room = (waiting > LEAST_KEPT ? waiting : LEAST_KEPT) * size_of(from);
    esp_timer_handle_t timer;
    from->kept = xStreamBufferCreate(room, size_of(from));
    if (from->kept == NULL || esp_timer_create(&every, &timer) != ESP_OK ||
        esp_timer_start_periodic(timer, (UINT64_C(1000000000) + rate_mhz / 2) / rate_mhz) != ESP_OK) {
        return "no memory to sample this sensor";
    }
    from->timer = timer;
    return NULL;
}

/* Reads so many samples as they come. 0, or -1. */
static int receive(sampler *from, int16_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, values += from->axes) {
        if (xStreamBufferReceive(from->kept, values, size_of(from), pdMS_TO_TICKS(WAIT_MS)) != size_of(from)) {
            return -1;
        }
    }
    return 0;
}

/* What waited is old. */
static void forget(sampler *from)
{
    int16_t values[SAMPLER_MOST_AXES];
    while (xStreamBufferReceive(from->kept, values, size_of(from), 0) > 0) {
    }
    from->lost = 0;
}

const char *sampler_capture(sampler *from, const capture_target *target)
{
    capture_target wanted = *target;
    int16_t *first;
    if (from->timer == NULL) {
        return "this sensor did not start";
    }
    if (target->window <= 0 || from->lost) {
        wanted.window = 0; /* a whole window, after a gap, too */
        forget(from);
    }
    const uint32_t count = window_advance(&wanted, &first);
    return receive(from, first, count) != 0 ? "this sensor gave no samples" : window_image(target);
}

void sampler_stop(sampler *from)
{
    if (from->timer != NULL) {
        esp_timer_stop(from->timer);
    }
    from->timer = NULL;
}
