/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#include "port.h"

enum { WORKERS = 2, STACK_BYTES = 4096, APART_STACK_BYTES = 6144, PRIORITY = 5, BREATH_US = 2000000 };
enum { REPEAT_STACK_BYTES = 6144, REPEAT_PRIORITY = 2 };

static struct {
    port_branch_fn fn;
    const uint8_t *workers; /* by branch; NULL: none */
    unsigned count;
    TaskHandle_t caller;
    TaskHandle_t worker[WORKERS];
    StaticSemaphore_t lock_memory;
    SemaphoreHandle_t lock;
} s;

static void worker(void *argument)
{
    const unsigned own = (unsigned)(uintptr_t)argument;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        for (unsigned branch = 0; branch < s.count; branch++) {
            if (s.workers[branch] == own) {
                s.fn(branch);
            }
        }
        xTaskNotifyGive(s.caller);
    }
}

int port_branches_open(const uint8_t *workers, unsigned count)
{
    s.lock = xSemaphoreCreateMutexStatic(&s.lock_memory);
    if (s.lock == NULL) {
        return -1;
    }
    s.workers = workers;
    s.count = count;
    for (unsigned i = 0; workers != NULL && i < WORKERS; i++) {
        const BaseType_t core = (BaseType_t)(i % portNUM_PROCESSORS);
        if (xTaskCreatePinnedToCore(worker, i == 0 ? "branch0" : "branch1", STACK_BYTES, (void *)(uintptr_t)i,
                                    PRIORITY, &s.worker[i], core) != pdPASS) {
            return -1;
        }
    }
    return 0;
}

void port_branches(port_branch_fn fn, unsigned count)
{
    if (s.workers == NULL) {
        for (unsigned i = 0; i < count; i++) {
            fn(i);
        }
        return;
    }
    s.fn = fn;
    s.caller = xTaskGetCurrentTaskHandle();
    for (unsigned i = WORKERS; i-- > 0;) {
        xTaskNotifyGive(s.worker[i]);
    }
    for (int left = WORKERS; left > 0;) {
        left -= (int)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
}

static void repeat(void *argument)
{
    int (*const fn)(void) = (int (*)(void))(uintptr_t)argument;
    for (int ms = fn(); ms >= 0; ms = fn()) {
        vTaskDelay(pdMS_TO_TICKS(ms) + 1); /* also lets whoever waits for the lock have it */
    }
    vTaskDelete(NULL);
}

int port_repeat(int (*fn)(void))
{
    void *argument = (void *)(uintptr_t)fn;
    return xTaskCreate(repeat, "stream", REPEAT_STACK_BYTES, argument, REPEAT_PRIORITY, NULL) == pdPASS ? 0 : -1;
}

static struct {
    void (*fn)(void);
    volatile int ended;
} apart;

static void run_apart(void *argument)
{
    (void)argument;
    apart.fn();
    apart.ended = 1;
    vTaskDelete(NULL);
}

int port_run_apart(void (*fn)(void), unsigned timeout_ms)
{
    apart.fn = fn;
    apart.ended = 0;
    if (xTaskCreate(run_apart, "apart", APART_STACK_BYTES, NULL, tskIDLE_PRIORITY, NULL) != pdPASS) {
        return 0;
    }
    for (unsigned waited = 0; apart.ended == 0 && waited < timeout_ms; waited += 10) {
        vTaskDelay(pdMS_TO_TICKS(10));
    }
    return apart.ended;
}

void port_lock(void)
{
    xSemaphoreTake(s.lock, portMAX_DELAY);
}

void port_unlock(void)
{
    xSemaphoreGive(s.lock);
}

void port_breathe(void)
{
    static int64_t last_us[portNUM_PROCESSORS];
    const int64_t now_us = port_us();
    const BaseType_t core = xPortGetCoreID();
    if (now_us - last_us[core] > BREATH_US) {
        last_us[core] = now_us;
        vTaskDelay(1);
    }
}
